import "../payments/index.ts";
