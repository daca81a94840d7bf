drop function ledger.post_all, ledger.post, ledger.consume_holds, ledger.move_balances, ledger.write_entries;
drop function ledger.number_legs, ledger.judge;
drop table ledger.open_holds, ledger.hold_resolutions, ledger.holds;
