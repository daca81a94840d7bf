drop function ledger.set_floor;
drop table ledger.floor_changes;
drop function ledger.expire_holds, ledger.void_holds, ledger.end_holds, ledger.must_hold, ledger.hold;
