import "../ledger/index.ts";
