/** May the person be mailed by the lead's own email_status? */
export function isMailable(emailStatus: string | null): boolean {
  return emailStatus === null || emailStatus === "subscribed";
}
