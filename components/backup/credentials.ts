/** Secrets of the backup, by their names below `vpai:`. Not AWS's variables: those may be set for where the state is kept. */
export const BACKUP_SECRETS = {
  backupAccessKey: { description: "Access key of the bucket of vpai:backup", variable: "BACKUP_ACCESS_KEY_ID" },
  backupSecretKey: { description: "Secret key of the bucket of vpai:backup", variable: "BACKUP_SECRET_ACCESS_KEY" },
  backupHeartbeatUrl: {
    description:
      "Address that is asked after each backup, such as one of healthchecks.io: it raises the alarm when that stops",
  },
} as const;

/** The generated password of the repository. */
export const BACKUP_PASSWORD = "backup-password";
