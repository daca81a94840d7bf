drop function ledger.seal, ledger.digest_rows, ledger.moment_bytes, ledger.text_bytes;
drop table ledger.seals;
