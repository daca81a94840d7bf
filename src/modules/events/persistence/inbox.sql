/* @name forgetReceipts */
select events.forget_receipts(now() - :keptDays!::integer * interval '1 day', :most!::integer) as "removed!";
