drop schema ledger cascade;
-- The role stays: other databases of the cluster may use it, and it owns nothing else.
