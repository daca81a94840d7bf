drop schema payouts cascade;
