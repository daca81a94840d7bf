import "../orders/index.ts";
