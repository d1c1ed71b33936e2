import type { Sql } from "postgres";

/** Something of ours that may be reached, or done, by more than needs it. */
export interface Finding {
  rule: string;
  object: string;
}

/**
 * Functions that Postgres writes into the calling statement: a search path of their own would keep
 * it from that. They run with the caller's rights and name everything with its schema.
 */
const inlined = [
  "mautic.address_of(text)",
  "mautic.as_boolean(boolean)",
  "mautic.as_text(text)",
  "mautic.claim_lock()",
  "mautic.clock()",
  "mautic.correlation_id()",
  "mautic.doorbell_lock()",
  "mautic.email_status_at(mautic.subscription)",
  "mautic.email_status_of(mautic.subscription)",
  "mautic.given_correlation_id()",
  "mautic.hold_doorbell()",
  "mautic.normalize_address(text)",
  "mautic.restrictiveness(text)",
  "mautic.shape_lock()",
  "mautic.try_doorbell()",
  // Every write of a lead pays for it; those who call it have an empty search path.
  "mautic.ring_doorbell(text,bigint)",
];

/** Every rule about who may reach what, as a query that names the offenders. */
const rules: Record<string, string> = {
  "row level security is off": `
    select c.oid::regclass::text from pg_class c
    where c.relkind in ('r', 'p') and not c.relrowsecurity
      and c.relnamespace in ('mautic'::regnamespace, 'public'::regnamespace)`,

  "a policy lets somebody at the sync's own tables": `
    select p.polrelid::regclass::text from pg_policy p
    join pg_class c on c.oid = p.polrelid and c.relnamespace = 'mautic'::regnamespace`,

  "somebody may enter or build in schema mautic": `
    select a.grantee::regrole || ': ' || a.privilege_type
    from pg_namespace n, aclexplode(n.nspacl) a
    where n.nspname = 'mautic' and a.grantee <> n.nspowner
      and (a.grantee, a.privilege_type) is distinct from ('service_role'::regrole::oid, 'USAGE')`,

  "somebody may use a table, view or sequence of schema mautic": `
    select c.oid::regclass || ' by ' || a.grantee::regrole || ': ' || a.privilege_type
    from pg_class c, aclexplode(c.relacl) a
    where c.relnamespace = 'mautic'::regnamespace and a.grantee <> c.relowner
    union all
    select t.attrelid::regclass || '.' || t.attname || ' by ' || a.grantee::regrole
    from pg_attribute t
    join pg_class c on c.oid = t.attrelid and c.relnamespace = 'mautic'::regnamespace,
      aclexplode(t.attacl) a
    where a.grantee <> c.relowner`,

  // Policies decide about rows; these three rights are beyond them.
  "the public roles have a right on leads that row level security does not cover": `
    select c.oid::regclass || ' by ' || a.grantee::regrole || ': ' || a.privilege_type
    from pg_class c, aclexplode(c.relacl) a
    where c.oid in ('public.leads'::regclass, 'public.lead_activity'::regclass)
      and a.grantee <> c.relowner
      and not (
        a.grantee in ('anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole)
        and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE'))
      and a.grantee <> 'service_role'::regrole
    union all
    select s.oid::regclass || ' by ' || a.grantee::regrole || ': ' || a.privilege_type
    from pg_class s
    join pg_depend d on d.objid = s.oid and d.refobjid = 'public.lead_activity'::regclass,
      aclexplode(s.relacl) a
    where s.relkind = 'S' and a.grantee in (0, 'anon'::regrole, 'authenticated'::regrole)`,

  "a function of schema mautic can be called by other than service_role": `
    select p.oid::regprocedure || ' by ' || case a.grantee when 0 then 'public' else a.grantee::regrole::text end
    from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.pronamespace = 'mautic'::regnamespace
      and a.grantee not in (p.proowner, 'service_role'::regrole)`,

  "a right may be passed on": `
    select c.oid::regclass::text from pg_class c, aclexplode(c.relacl) a
    where c.relnamespace = 'mautic'::regnamespace and a.is_grantable and a.grantee <> c.relowner
    union all
    select p.oid::regprocedure::text from pg_proc p, aclexplode(p.proacl) a
    where p.pronamespace = 'mautic'::regnamespace and a.is_grantable and a.grantee <> p.proowner`,

  "a function's search path is not empty": `
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace = 'mautic'::regnamespace
      and not coalesce('search_path=""' = any (p.proconfig), false)
      and (p.prosecdef or p.oid::regprocedure::text <> all ('{${
    inlined.map((name) => `"${name}"`).join(",")
  }}'))`,

  "a view shows what its owner may see, not its caller": `
    select c.oid::regclass::text from pg_class c
    where c.relnamespace = 'mautic'::regnamespace and c.relkind = 'v'
      and not coalesce('security_invoker=true' = any (c.reloptions), false)`,

  "an object of ours belongs to a superuser, or not to who made the others": `
    select o.name from (
      select c.oid::regclass::text as name, c.relowner as owner from pg_class c
      where c.relnamespace = 'mautic'::regnamespace
        or c.oid in ('public.leads'::regclass, 'public.lead_activity'::regclass)
      union all
      select p.oid::regprocedure::text, p.proowner from pg_proc p
      where p.pronamespace = 'mautic'::regnamespace
    ) o
    join pg_roles r on r.oid = o.owner
    where r.rolsuper or r.rolname <> 'postgres'`,

  // Its functions would be on offer to anon at once, by the platform's default privileges.
  "a function of ours is in schema public": `
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace = 'public'::regnamespace
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`,

  "what is made in schema mautic later is somebody's by default": `
    select d.defaclobjtype::text || ' by ' || a.grantee::regrole
    from pg_default_acl d, aclexplode(d.defaclacl) a
    where d.defaclnamespace in (0, 'mautic'::regnamespace) and a.grantee <> d.defaclrole`,
};

/** Everything in the database that breaks a rule; empty when all is as it should be. */
export async function findings(sql: Sql): Promise<Finding[]> {
  const found = await Promise.all(
    Object.entries(rules).map(async ([rule, query]) => {
      const rows = await sql.unsafe<{ object: string }[]>(
        `select object from (${query}) as found(object) order by 1`,
      );
      return rows.map(({ object }): Finding => ({ rule, object }));
    }),
  );
  return found.flat();
}
