import "./modules/payments/http.ts";
