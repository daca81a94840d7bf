drop schema reconciliation cascade;
