/** The environment in which another Deno of this project runs. */

const needed =
  /^(PATH|HOME|TMPDIR|XDG_CACHE_HOME|DENO_.*|SSL_CERT_.*|NODE_EXTRA_CA_CERTS|npm_config_.*|.*_proxy)$/i;

/**
 * What Deno itself needs of our environment, to find its cache, the registry and the certificates.
 * The developer's own MAUTIC_* and SUPABASE_* settings are left out.
 */
export function denoEnvironment(): Record<string, string> {
  const env = Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => needed.test(name)),
  );
  // Deno 2.1 knows only its own variable for certificates, newer ones also these two.
  const certificates = env["NODE_EXTRA_CA_CERTS"] ?? env["SSL_CERT_FILE"];
  return certificates === undefined ? env : { DENO_CERT: certificates, ...env };
}
