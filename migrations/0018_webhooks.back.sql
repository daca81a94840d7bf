select events.forget_cursor('webhooks');
drop schema webhooks cascade;
