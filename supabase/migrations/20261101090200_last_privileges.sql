-- Last in the sequence: who may call what. Postgres lets everybody execute a new function;
-- here nobody may, but for the functions named below.

revoke all on all tables in schema mautic from public, anon, authenticated, service_role;

revoke all on all routines in schema mautic from public, anon, authenticated, service_role;

grant execute on function
  mautic.start_worker(uuid, int, int),
  mautic.renew_worker(uuid, int, int),
  mautic.renew_lease(uuid, int),
  mautic.leave_worker(uuid),
  mautic.abandon_worker(uuid),
  mautic.has_work(),
  mautic.has_changes(),
  mautic.ring(text),
  mautic.claim(uuid, text, int, int, text),
  mautic.claim_lead(uuid, text, text, text, jsonb, text, int, text),
  mautic.give_back(uuid),
  mautic.settle(text, uuid, jsonb, text, boolean, int),
  mautic.sending_state(text, text),
  mautic.contact_in_use(text, bigint, text),
  mautic.read_status(),
  mautic.intend_enrollment(text, bigint, bigint, text, text, int),
  mautic.release_enrollment(text, bigint, bigint),
  mautic.confirm_enrollment(text, bigint, bigint),
  mautic.withdraw_enrollment(text, bigint, bigint),
  mautic.read_email_status(text, bigint, text),
  mautic.begin_lift(text, bigint, text, jsonb),
  mautic.acquire_token(text, text, uuid, int),
  mautic.store_token(text, text, uuid, text, timestamptz),
  mautic.drop_token(text, text, text),
  mautic.release_token(text, text, uuid),
  mautic.receive_delivery(text, jsonb, text, boolean, text),
  mautic.next_unread_delivery(),
  mautic.replace_events(bigint, jsonb, boolean, text),
  mautic.start_reconcile(text, int),
  mautic.record_do_not_contact(text, jsonb, bigint, bigint, text),
  mautic.known_do_not_contact(text),
  mautic.contacts_to_check(text, bigint, int),
  mautic.settle_check(text, jsonb, text),
  mautic.assert_do_not_contact(text, bigint, int, text),
  mautic.links_to_check(text, int),
  mautic.settle_links(text, bigint, jsonb),
  mautic.finish_reconcile(text),
  mautic.abandon_reconcile(text)
to service_role;
