drop function ledger.export_horizon, ledger.posting_now, ledger.journal_page, ledger.movements_page;
drop function ledger.entries_page, ledger.balance_effective_at;
drop function ledger.balance_at, ledger.version_at, ledger.moment_text;
drop index ledger.batches_by_time, ledger.accounts_by_code;
