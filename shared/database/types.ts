// Generated from the migrations by `deno task types`. Do not edit.
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Schema = {
  "mautic": {
    Tables: {
      "attachment": {
        Row: {
          "absent": number;
          "absent_upto": string | null;
          "activity": string | null;
          "attached_at": string | null;
          "compared_at": string | null;
          "compared_mark": string | null;
          "compared_rows": number;
          "compared_upto": string | null;
          "comparing_since": string | null;
          "declared": NonNullable<Json>;
          "digest_of": string | null;
          "generated_version": number | null;
          "is_rewriting": boolean;
          "is_suspect": boolean;
          "key_column": unknown;
          "key_type": string | null;
          "overlong": number;
          "prefix": string;
          "problem": string | null;
          "rank": number;
          "read_problem": string | null;
          "read_to_end_at": string | null;
          "read_upto": string | null;
          "relation": unknown;
          "schema_name": unknown;
          "source": string;
          "status_at_column": unknown;
          "status_column": unknown;
          "table_name": unknown;
          "unseen": number;
          "attach_statement": string | null;
          "check_source": {
            "name": string;
            "problem": string;
            "remedy": string;
          } | null;
          "digest_definition": string | null;
          "is_as_attached": boolean | null;
          "is_comparison_due": boolean | null;
          "is_of_sql": string | null;
          "keys_sql": string | null;
          "log_delete_sql": string | null;
          "log_insert_sql": string | null;
          "log_update_sql": string | null;
          "make_triggers": undefined | null;
          "make_watches": undefined | null;
          "parts_lacking": (string)[] | null;
          "resolve_activity": string | null;
          "resolve_status": Record<string, unknown> | null;
          "table_of": string | null;
          "where_sql": string | null;
          "write_fields": undefined | null;
        };
        ComputedFields:
          | "attach_statement"
          | "check_source"
          | "digest_definition"
          | "is_as_attached"
          | "is_comparison_due"
          | "is_of_sql"
          | "keys_sql"
          | "log_delete_sql"
          | "log_insert_sql"
          | "log_update_sql"
          | "make_triggers"
          | "make_watches"
          | "parts_lacking"
          | "resolve_activity"
          | "resolve_status"
          | "table_of"
          | "where_sql"
          | "write_fields";
        Insert: {
          "absent"?: number;
          "absent_upto"?: string | null;
          "activity"?: string | null;
          "attached_at"?: string | null;
          "compared_at"?: string | null;
          "compared_mark"?: string | null;
          "compared_rows"?: number;
          "compared_upto"?: string | null;
          "comparing_since"?: string | null;
          "declared": NonNullable<Json>;
          "digest_of"?: string | null;
          "generated_version"?: number | null;
          "is_rewriting"?: boolean;
          "is_suspect"?: boolean;
          "key_column"?: unknown;
          "key_type"?: string | null;
          "overlong"?: number;
          "prefix": string;
          "problem"?: string | null;
          "rank": number;
          "read_problem"?: string | null;
          "read_to_end_at"?: string | null;
          "read_upto"?: string | null;
          "relation"?: unknown;
          "schema_name": unknown;
          "source": string;
          "status_at_column"?: unknown;
          "status_column"?: unknown;
          "table_name": unknown;
          "unseen"?: number;
        };
        Update: {
          "absent"?: number;
          "absent_upto"?: string | null;
          "activity"?: string | null;
          "attached_at"?: string | null;
          "compared_at"?: string | null;
          "compared_mark"?: string | null;
          "compared_rows"?: number;
          "compared_upto"?: string | null;
          "comparing_since"?: string | null;
          "declared"?: NonNullable<Json>;
          "digest_of"?: string | null;
          "generated_version"?: number | null;
          "is_rewriting"?: boolean;
          "is_suspect"?: boolean;
          "key_column"?: unknown;
          "key_type"?: string | null;
          "overlong"?: number;
          "prefix"?: string;
          "problem"?: string | null;
          "rank"?: number;
          "read_problem"?: string | null;
          "read_to_end_at"?: string | null;
          "read_upto"?: string | null;
          "relation"?: unknown;
          "schema_name"?: unknown;
          "source"?: string;
          "status_at_column"?: unknown;
          "status_column"?: unknown;
          "table_name"?: unknown;
          "unseen"?: number;
        };
        Relationships: [];
      };
      "bulk_transaction": {
        Row: {
          "noted_at": string;
          "xid": unknown;
        };
        ComputedFields: never;
        Insert: {
          "noted_at"?: string;
          "xid": unknown;
        };
        Update: {
          "noted_at"?: string;
          "xid"?: unknown;
        };
        Relationships: [];
      };
      "column_set": {
        Row: {
          "columns": (unknown)[];
          "id": number;
        };
        ComputedFields: never;
        Insert: {
          "columns": (unknown)[];
          "id"?: never;
        };
        Update: {
          "columns"?: (unknown)[];
          "id"?: never;
        };
        Relationships: [];
      };
      "contact": {
        Row: {
          "address": string;
          "answered_at": string;
          "contact_id": number;
          "do_not_contact": NonNullable<Json>;
          "lead_changed_at": string | null;
          "lead_id": string | null;
          "lifted": Json | null;
          "lifting_after": number | null;
          "lifting_until": string | null;
          "origin": string;
          "refused": NonNullable<Json>;
          "snapshot": NonNullable<Json>;
          "is_lift_overtaken": boolean | null;
        };
        ComputedFields: "is_lift_overtaken";
        Insert: {
          "address": string;
          "answered_at"?: string;
          "contact_id": number;
          "do_not_contact"?: NonNullable<Json>;
          "lead_changed_at"?: string | null;
          "lead_id"?: string | null;
          "lifted"?: Json | null;
          "lifting_after"?: number | null;
          "lifting_until"?: string | null;
          "origin": string;
          "refused"?: NonNullable<Json>;
          "snapshot"?: NonNullable<Json>;
        };
        Update: {
          "address"?: string;
          "answered_at"?: string;
          "contact_id"?: number;
          "do_not_contact"?: NonNullable<Json>;
          "lead_changed_at"?: string | null;
          "lead_id"?: string | null;
          "lifted"?: Json | null;
          "lifting_after"?: number | null;
          "lifting_until"?: string | null;
          "origin"?: string;
          "refused"?: NonNullable<Json>;
          "snapshot"?: NonNullable<Json>;
        };
        Relationships: [];
      };
      "contact_link": {
        Row: {
          "address": string | null;
          "changed_at": string | null;
          "contact_id": number;
          "filled": (string)[];
          "lead_id": string;
          "left_at": string | null;
          "linked_at": string;
          "origin": string;
        };
        ComputedFields: never;
        Insert: {
          "address"?: string | null;
          "changed_at"?: string | null;
          "contact_id": number;
          "filled"?: (string)[];
          "lead_id": string;
          "left_at"?: string | null;
          "linked_at"?: string;
          "origin": string;
        };
        Update: {
          "address"?: string | null;
          "changed_at"?: string | null;
          "contact_id"?: number;
          "filled"?: (string)[];
          "lead_id"?: string;
          "left_at"?: string | null;
          "linked_at"?: string;
          "origin"?: string;
        };
        Relationships: [];
      };
      "deployment": {
        Row: {
          "live_at": string | null;
          "origin": string;
          "project": string;
          "seen_at": string;
        };
        ComputedFields: never;
        Insert: {
          "live_at"?: string | null;
          "origin": string;
          "project": string;
          "seen_at"?: string;
        };
        Update: {
          "live_at"?: string | null;
          "origin"?: string;
          "project"?: string;
          "seen_at"?: string;
        };
        Relationships: [];
      };
      "do_not_contact": {
        Row: {
          "added_at": string;
          "channel": string;
          "contact_id": number;
          "detail": NonNullable<Json>;
          "entry_id": number;
          "kind": string | null;
          "origin": string;
        };
        ComputedFields: never;
        Insert: {
          "added_at": string;
          "channel": string;
          "contact_id": number;
          "detail"?: NonNullable<Json>;
          "entry_id": number;
          "kind"?: string | null;
          "origin": string;
        };
        Update: {
          "added_at"?: string;
          "channel"?: string;
          "contact_id"?: number;
          "detail"?: NonNullable<Json>;
          "entry_id"?: number;
          "kind"?: string | null;
          "origin"?: string;
        };
        Relationships: [];
      };
      "enrollment": {
        Row: {
          "campaign_id": number;
          "confirmed_at": string | null;
          "contact_id": number;
          "correlation_id": string;
          "held_by": string | null;
          "held_until": string | null;
          "intended_at": string;
          "lead_id": string | null;
          "origin": string;
          "state": string;
        };
        ComputedFields: never;
        Insert: {
          "campaign_id": number;
          "confirmed_at"?: string | null;
          "contact_id": number;
          "correlation_id": string;
          "held_by"?: string | null;
          "held_until"?: string | null;
          "intended_at"?: string;
          "lead_id"?: string | null;
          "origin": string;
          "state"?: string;
        };
        Update: {
          "campaign_id"?: number;
          "confirmed_at"?: string | null;
          "contact_id"?: number;
          "correlation_id"?: string;
          "held_by"?: string | null;
          "held_until"?: string | null;
          "intended_at"?: string;
          "lead_id"?: string | null;
          "origin"?: string;
          "state"?: string;
        };
        Relationships: [];
      };
      "erased": {
        Row: {
          "erased_at": string;
          "lead_hash": string;
        };
        ComputedFields: never;
        Insert: {
          "erased_at"?: string;
          "lead_hash": string;
        };
        Update: {
          "erased_at"?: string;
          "lead_hash"?: string;
        };
        Relationships: [];
      };
      "field_map": {
        Row: {
          "alias": string;
          "columns": (unknown)[];
          "expression": string | null;
          "given": string | null;
          "is_standard": boolean;
          "part": (string)[] | null;
          "place": number;
          "source": string;
          "too_long": Schema["mautic"]["Enums"]["too_long"];
          "type": Schema["mautic"]["Enums"]["field_type"];
          "value_type": unknown;
          "when_blank": Schema["mautic"]["Enums"]["when_blank"];
        };
        ComputedFields: never;
        Insert: {
          "alias": string;
          "columns"?: (unknown)[];
          "expression"?: string | null;
          "given"?: string | null;
          "is_standard": boolean;
          "part"?: (string)[] | null;
          "place": number;
          "source": string;
          "too_long"?: Schema["mautic"]["Enums"]["too_long"];
          "type"?: Schema["mautic"]["Enums"]["field_type"];
          "value_type"?: unknown;
          "when_blank"?: Schema["mautic"]["Enums"]["when_blank"];
        };
        Update: {
          "alias"?: string;
          "columns"?: (unknown)[];
          "expression"?: string | null;
          "given"?: string | null;
          "is_standard"?: boolean;
          "part"?: (string)[] | null;
          "place"?: number;
          "source"?: string;
          "too_long"?: Schema["mautic"]["Enums"]["too_long"];
          "type"?: Schema["mautic"]["Enums"]["field_type"];
          "value_type"?: unknown;
          "when_blank"?: Schema["mautic"]["Enums"]["when_blank"];
        };
        Relationships: [
          {
            foreignKeyName: "field_map_source_fkey";
            columns: ["source"];
            isOneToOne: false;
            referencedRelation: "attachment";
            referencedColumns: ["source"];
          },
        ];
      };
      "lead_activity": {
        Row: {
          "detail": NonNullable<Json>;
          "id": number;
          "lead_id": string;
          "occurred_at": string;
          "type": string;
        };
        ComputedFields: never;
        Insert: {
          "detail"?: NonNullable<Json>;
          "id"?: never;
          "lead_id": string;
          "occurred_at"?: string;
          "type": string;
        };
        Update: {
          "detail"?: NonNullable<Json>;
          "id"?: never;
          "lead_id"?: string;
          "occurred_at"?: string;
          "type"?: string;
        };
        Relationships: [];
      };
      "lead_change": {
        Row: {
          "cause": Schema["mautic"]["Enums"]["change_cause"];
          "changed": (number)[] | null;
          "changed_at": string;
          "chosen": boolean;
          "column_set": number | null;
          "correlation_id": string | null;
          "fill": boolean;
          "force": boolean;
          "id": number;
          "lane": Schema["mautic"]["Enums"]["lane"];
          "lead_ids": (string)[];
          "queued_at": string | null;
          "removal": Schema["mautic"]["Enums"]["contact_removal"] | null;
          "times": (string)[] | null;
          "xid": unknown;
        };
        ComputedFields: never;
        Insert: {
          "cause": Schema["mautic"]["Enums"]["change_cause"];
          "changed"?: (number)[] | null;
          "changed_at"?: string;
          "chosen"?: boolean;
          "column_set"?: number | null;
          "correlation_id"?: string | null;
          "fill"?: boolean;
          "force"?: boolean;
          "id"?: never;
          "lane"?: Schema["mautic"]["Enums"]["lane"];
          "lead_ids": (string)[];
          "queued_at"?: string | null;
          "removal"?: Schema["mautic"]["Enums"]["contact_removal"] | null;
          "times"?: (string)[] | null;
          "xid"?: unknown;
        };
        Update: {
          "cause"?: Schema["mautic"]["Enums"]["change_cause"];
          "changed"?: (number)[] | null;
          "changed_at"?: string;
          "chosen"?: boolean;
          "column_set"?: number | null;
          "correlation_id"?: string | null;
          "fill"?: boolean;
          "force"?: boolean;
          "id"?: never;
          "lane"?: Schema["mautic"]["Enums"]["lane"];
          "lead_ids"?: (string)[];
          "queued_at"?: string | null;
          "removal"?: Schema["mautic"]["Enums"]["contact_removal"] | null;
          "times"?: (string)[] | null;
          "xid"?: unknown;
        };
        Relationships: [];
      };
      "lead_id_probe": {
        Row: {
          "lead_id": string;
        };
        ComputedFields: never;
        Insert: {
          "lead_id": string;
        };
        Update: {
          "lead_id"?: string;
        };
        Relationships: [];
      };
      "lead_state": {
        Row: {
          "address": string | null;
          "changed_at": string | null;
          "consent": boolean | null;
          "digest": number | null;
          "email_status": string | null;
          "email_status_changed_at": string | null;
          "gone_at": string | null;
          "known_since": string | null;
          "lead_id": string;
          "read_at": string;
          "source": string;
          "stage": string | null;
          "times": NonNullable<Json>;
        };
        ComputedFields: never;
        Insert: {
          "address"?: string | null;
          "changed_at"?: string | null;
          "consent"?: boolean | null;
          "digest"?: number | null;
          "email_status"?: string | null;
          "email_status_changed_at"?: string | null;
          "gone_at"?: string | null;
          "known_since"?: string | null;
          "lead_id": string;
          "read_at"?: string;
          "source": string;
          "stage"?: string | null;
          "times"?: NonNullable<Json>;
        };
        Update: {
          "address"?: string | null;
          "changed_at"?: string | null;
          "consent"?: boolean | null;
          "digest"?: number | null;
          "email_status"?: string | null;
          "email_status_changed_at"?: string | null;
          "gone_at"?: string | null;
          "known_since"?: string | null;
          "lead_id"?: string;
          "read_at"?: string;
          "source"?: string;
          "stage"?: string | null;
          "times"?: NonNullable<Json>;
        };
        Relationships: [];
      };
      "oauth_token": {
        Row: {
          "client_id": string;
          "expires_at": string | null;
          "hold_until": string | null;
          "holder": string | null;
          "origin": string;
          "sealed": string | null;
          "stored_at": string | null;
        };
        ComputedFields: never;
        Insert: {
          "client_id": string;
          "expires_at"?: string | null;
          "hold_until"?: string | null;
          "holder"?: string | null;
          "origin": string;
          "sealed"?: string | null;
          "stored_at"?: string | null;
        };
        Update: {
          "client_id"?: string;
          "expires_at"?: string | null;
          "hold_until"?: string | null;
          "holder"?: string | null;
          "origin"?: string;
          "sealed"?: string | null;
          "stored_at"?: string | null;
        };
        Relationships: [];
      };
      "outbox": {
        Row: {
          "ambiguous": boolean;
          "attempted": NonNullable<Json>;
          "attempts": number;
          "changed_at": string;
          "chosen": boolean;
          "correlation_id": string;
          "enqueued_at": string;
          "error_at": string | null;
          "error_code": string | null;
          "error_message": string | null;
          "error_remedy": string | null;
          "failed_alone": number;
          "fill": boolean;
          "force": boolean;
          "lane": Schema["mautic"]["Enums"]["lane"];
          "lead_id": string;
          "lease_expires_at": string | null;
          "lease_token": string | null;
          "leased_at": string | null;
          "leased_by": string | null;
          "leased_version": number | null;
          "not_before": string | null;
          "person_keys": (string)[] | null;
          "removal": Schema["mautic"]["Enums"]["contact_removal"] | null;
          "state": string;
          "version": number;
          "withdraws": boolean;
        };
        ComputedFields: never;
        Insert: {
          "ambiguous"?: boolean;
          "attempted"?: NonNullable<Json>;
          "attempts"?: number;
          "changed_at": string;
          "chosen"?: boolean;
          "correlation_id": string;
          "enqueued_at": string;
          "error_at"?: string | null;
          "error_code"?: string | null;
          "error_message"?: string | null;
          "error_remedy"?: string | null;
          "failed_alone"?: number;
          "fill"?: boolean;
          "force"?: boolean;
          "lane"?: Schema["mautic"]["Enums"]["lane"];
          "lead_id": string;
          "lease_expires_at"?: string | null;
          "lease_token"?: string | null;
          "leased_at"?: string | null;
          "leased_by"?: string | null;
          "leased_version"?: number | null;
          "not_before"?: string | null;
          "person_keys"?: (string)[] | null;
          "removal"?: Schema["mautic"]["Enums"]["contact_removal"] | null;
          "state"?: string;
          "version"?: number;
          "withdraws"?: boolean;
        };
        Update: {
          "ambiguous"?: boolean;
          "attempted"?: NonNullable<Json>;
          "attempts"?: number;
          "changed_at"?: string;
          "chosen"?: boolean;
          "correlation_id"?: string;
          "enqueued_at"?: string;
          "error_at"?: string | null;
          "error_code"?: string | null;
          "error_message"?: string | null;
          "error_remedy"?: string | null;
          "failed_alone"?: number;
          "fill"?: boolean;
          "force"?: boolean;
          "lane"?: Schema["mautic"]["Enums"]["lane"];
          "lead_id"?: string;
          "lease_expires_at"?: string | null;
          "lease_token"?: string | null;
          "leased_at"?: string | null;
          "leased_by"?: string | null;
          "leased_version"?: number | null;
          "not_before"?: string | null;
          "person_keys"?: (string)[] | null;
          "removal"?: Schema["mautic"]["Enums"]["contact_removal"] | null;
          "state"?: string;
          "version"?: number;
          "withdraws"?: boolean;
        };
        Relationships: [];
      };
      "reconcile_cursor": {
        Row: {
          "finished_at": string | null;
          "leased_until": string | null;
          "linked_upto": number;
          "origin": string;
          "scanned_upto": number | null;
          "scanning_since": string | null;
          "since": string | null;
          "started_at": string | null;
        };
        ComputedFields: never;
        Insert: {
          "finished_at"?: string | null;
          "leased_until"?: string | null;
          "linked_upto"?: number;
          "origin": string;
          "scanned_upto"?: number | null;
          "scanning_since"?: string | null;
          "since"?: string | null;
          "started_at"?: string | null;
        };
        Update: {
          "finished_at"?: string | null;
          "leased_until"?: string | null;
          "linked_upto"?: number;
          "origin"?: string;
          "scanned_upto"?: number | null;
          "scanning_since"?: string | null;
          "since"?: string | null;
          "started_at"?: string | null;
        };
        Relationships: [];
      };
      "ring_sent": {
        Row: {
          "action": string;
          "id": number;
          "request_id": number;
          "rung_at": string;
        };
        ComputedFields: never;
        Insert: {
          "action": string;
          "id"?: never;
          "request_id": number;
          "rung_at"?: string;
        };
        Update: {
          "action"?: string;
          "id"?: never;
          "request_id"?: number;
          "rung_at"?: string;
        };
        Relationships: [];
      };
      "role": {
        Row: {
          "columns": (unknown)[];
          "expression": string | null;
          "given": string | null;
          "remedy": string | null;
          "role": string;
          "source": string;
          "tables": (string)[];
          "type": unknown;
          "why": string;
        };
        ComputedFields: never;
        Insert: {
          "columns"?: (unknown)[];
          "expression"?: string | null;
          "given"?: string | null;
          "remedy"?: string | null;
          "role": string;
          "source": string;
          "tables"?: (string)[];
          "type"?: unknown;
          "why": string;
        };
        Update: {
          "columns"?: (unknown)[];
          "expression"?: string | null;
          "given"?: string | null;
          "remedy"?: string | null;
          "role"?: string;
          "source"?: string;
          "tables"?: (string)[];
          "type"?: unknown;
          "why"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "role_source_fkey";
            columns: ["source"];
            isOneToOne: false;
            referencedRelation: "attachment";
            referencedColumns: ["source"];
          },
        ];
      };
      "sending": {
        Row: {
          "batch_size": number | null;
          "halt_code": string | null;
          "halts": number;
          "one": boolean;
          "opened_at": string | null;
          "origin": string | null;
          "pause_reason": string | null;
          "paused_at": string | null;
          "probe_at": string | null;
          "prober": string | null;
          "prober_until": string | null;
          "probes": number;
        };
        ComputedFields: never;
        Insert: {
          "batch_size"?: number | null;
          "halt_code"?: string | null;
          "halts"?: number;
          "one"?: boolean;
          "opened_at"?: string | null;
          "origin"?: string | null;
          "pause_reason"?: string | null;
          "paused_at"?: string | null;
          "probe_at"?: string | null;
          "prober"?: string | null;
          "prober_until"?: string | null;
          "probes"?: number;
        };
        Update: {
          "batch_size"?: number | null;
          "halt_code"?: string | null;
          "halts"?: number;
          "one"?: boolean;
          "opened_at"?: string | null;
          "origin"?: string | null;
          "pause_reason"?: string | null;
          "paused_at"?: string | null;
          "probe_at"?: string | null;
          "prober"?: string | null;
          "prober_until"?: string | null;
          "probes"?: number;
        };
        Relationships: [];
      };
      "setting": {
        Row: {
          "allowed": string;
          "comment": string;
          "name": string;
          "standard": string;
          "value": string;
        };
        ComputedFields: never;
        Insert: {
          "allowed": string;
          "comment": string;
          "name": string;
          "standard": string;
          "value": string;
        };
        Update: {
          "allowed"?: string;
          "comment"?: string;
          "name"?: string;
          "standard"?: string;
          "value"?: string;
        };
        Relationships: [];
      };
      "stage_change": {
        Row: {
          "changed_at": string;
          "from_stage": string | null;
          "id": number;
          "lead_id": string;
          "to_stage": string | null;
        };
        ComputedFields: never;
        Insert: {
          "changed_at": string;
          "from_stage"?: string | null;
          "id"?: never;
          "lead_id": string;
          "to_stage"?: string | null;
        };
        Update: {
          "changed_at"?: string;
          "from_stage"?: string | null;
          "id"?: never;
          "lead_id"?: string;
          "to_stage"?: string | null;
        };
        Relationships: [];
      };
      "subscription": {
        Row: {
          "complained_at": string | null;
          "contact_id": number | null;
          "gone_at": string | null;
          "lead_id": string;
          "manual_at": string | null;
          "origin": string | null;
          "status": string | null;
          "status_at": string | null;
          "email_status_at": string | null;
          "email_status_of": string | null;
        };
        ComputedFields: "email_status_at" | "email_status_of";
        Insert: {
          "complained_at"?: string | null;
          "contact_id"?: number | null;
          "gone_at"?: string | null;
          "lead_id": string;
          "manual_at"?: string | null;
          "origin"?: string | null;
          "status"?: string | null;
          "status_at"?: string | null;
        };
        Update: {
          "complained_at"?: string | null;
          "contact_id"?: number | null;
          "gone_at"?: string | null;
          "lead_id"?: string;
          "manual_at"?: string | null;
          "origin"?: string | null;
          "status"?: string | null;
          "status_at"?: string | null;
        };
        Relationships: [];
      };
      "sync_history": {
        Row: {
          "action": string | null;
          "at": string;
          "attempt": number;
          "code": string | null;
          "contact_id": number | null;
          "correlation_id": string;
          "enrollment": string | null;
          "id": number;
          "latency_ms": number | null;
          "lead_id": string;
          "result": string;
        };
        ComputedFields: never;
        Insert: {
          "action"?: string | null;
          "at"?: string;
          "attempt": number;
          "code"?: string | null;
          "contact_id"?: number | null;
          "correlation_id": string;
          "enrollment"?: string | null;
          "id"?: never;
          "latency_ms"?: number | null;
          "lead_id": string;
          "result": string;
        };
        Update: {
          "action"?: string | null;
          "at"?: string;
          "attempt"?: number;
          "code"?: string | null;
          "contact_id"?: number | null;
          "correlation_id"?: string;
          "enrollment"?: string | null;
          "id"?: never;
          "latency_ms"?: number | null;
          "lead_id"?: string;
          "result"?: string;
        };
        Relationships: [];
      };
      "table_change": {
        Row: {
          "cause": Schema["mautic"]["Enums"]["table_cause"];
          "changed_at": string;
          "id": number;
          "source": string;
        };
        ComputedFields: never;
        Insert: {
          "cause": Schema["mautic"]["Enums"]["table_cause"];
          "changed_at"?: string;
          "id"?: never;
          "source": string;
        };
        Update: {
          "cause"?: Schema["mautic"]["Enums"]["table_cause"];
          "changed_at"?: string;
          "id"?: never;
          "source"?: string;
        };
        Relationships: [];
      };
      "watched": {
        Row: {
          "expression": string;
          "given": string;
          "place": string;
          "relation": unknown;
          "source": string;
          "check_watched": {
            "name": string;
            "problem": string;
            "remedy": string;
          } | null;
          "watch_statement": string | null;
        };
        ComputedFields: "check_watched" | "watch_statement";
        Insert: {
          "expression": string;
          "given": string;
          "place": string;
          "relation": unknown;
          "source": string;
        };
        Update: {
          "expression"?: string;
          "given"?: string;
          "place"?: string;
          "relation"?: unknown;
          "source"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "watched_source_fkey";
            columns: ["source"];
            isOneToOne: false;
            referencedRelation: "attachment";
            referencedColumns: ["source"];
          },
        ];
      };
      "webhook_delivery": {
        Row: {
          "body": string;
          "content_hash": string;
          "correlation_id": string;
          "error": string | null;
          "id": number;
          "is_test": boolean;
          "last_received_at": string;
          "origin": string | null;
          "received_at": string;
          "times_received": number;
          "unread": boolean;
        };
        ComputedFields: never;
        Insert: {
          "body": string;
          "content_hash": string;
          "correlation_id": string;
          "error"?: string | null;
          "id"?: never;
          "is_test": boolean;
          "last_received_at"?: string;
          "origin"?: string | null;
          "received_at"?: string;
          "times_received"?: number;
          "unread"?: boolean;
        };
        Update: {
          "body"?: string;
          "content_hash"?: string;
          "correlation_id"?: string;
          "error"?: string | null;
          "id"?: never;
          "is_test"?: boolean;
          "last_received_at"?: string;
          "origin"?: string | null;
          "received_at"?: string;
          "times_received"?: number;
          "unread"?: boolean;
        };
        Relationships: [];
      };
      "webhook_event": {
        Row: {
          "address": string | null;
          "applied_at": string | null;
          "changed_leads": number;
          "contact_id": number | null;
          "correlation_id": string;
          "delivery_id": number | null;
          "detail": NonNullable<Json>;
          "error": string | null;
          "event_key": string;
          "id": number;
          "kind": string;
          "occurred_at": string;
          "origin": string | null;
          "source": string;
          "state": string;
        };
        ComputedFields: never;
        Insert: {
          "address"?: string | null;
          "applied_at"?: string | null;
          "changed_leads"?: number;
          "contact_id"?: number | null;
          "correlation_id": string;
          "delivery_id"?: number | null;
          "detail"?: NonNullable<Json>;
          "error"?: string | null;
          "event_key": string;
          "id"?: never;
          "kind": string;
          "occurred_at": string;
          "origin"?: string | null;
          "source": string;
          "state"?: string;
        };
        Update: {
          "address"?: string | null;
          "applied_at"?: string | null;
          "changed_leads"?: number;
          "contact_id"?: number | null;
          "correlation_id"?: string;
          "delivery_id"?: number | null;
          "detail"?: NonNullable<Json>;
          "error"?: string | null;
          "event_key"?: string;
          "id"?: never;
          "kind"?: string;
          "occurred_at"?: string;
          "origin"?: string | null;
          "source"?: string;
          "state"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "webhook_event_delivery_id_fkey";
            columns: ["delivery_id"];
            isOneToOne: false;
            referencedRelation: "webhook_delivery";
            referencedColumns: ["id"];
          },
        ];
      };
      "worker": {
        Row: {
          "id": string;
          "lease_expires_at": string;
          "started_at": string;
        };
        ComputedFields: never;
        Insert: {
          "id": string;
          "lease_expires_at": string;
          "started_at"?: string;
        };
        Update: {
          "id"?: string;
          "lease_expires_at"?: string;
          "started_at"?: string;
        };
        Relationships: [];
      };
    };
    Views: {
      "dead_letter": {
        Row: {
          "attempts": number;
          "correlation_id": string;
          "last_error": string | null;
          "lead_id": string;
          "reason": string | null;
          "remedy": string | null;
          "since": string | null;
        };
        ComputedFields: never;
        Insert: {
          "attempts"?: number | null;
          "correlation_id"?: string | null;
          "last_error"?: never;
          "lead_id"?: string | null;
          "reason"?: string | null;
          "remedy"?: never;
          "since"?: string | null;
        };
        Update: {
          "attempts"?: number | null;
          "correlation_id"?: string | null;
          "last_error"?: never;
          "lead_id"?: string | null;
          "reason"?: string | null;
          "remedy"?: never;
          "since"?: string | null;
        };
        Relationships: [];
      };
      "logged_lead": {
        Row: {
          "cause": Schema["mautic"]["Enums"]["change_cause"];
          "changed": (number)[] | null;
          "changed_at": string | null;
          "chosen": boolean;
          "column_set": number | null;
          "correlation_id": string | null;
          "fill": boolean;
          "force": boolean;
          "id": number;
          "lane": Schema["mautic"]["Enums"]["lane"];
          "lead_id": string | null;
          "queued_at": string | null;
          "removal": Schema["mautic"]["Enums"]["contact_removal"] | null;
          "xid": unknown;
        };
        ComputedFields: never;
        Relationships: [];
      };
      "status": {
        Row: {
          "circuit": string | null;
          "circuit_opened_at": string | null;
          "circuit_probe_at": string | null;
          "circuit_reason": string | null;
          "dead": number | null;
          "dead_by_reason": Json | null;
          "deployments": Json | null;
          "due_now": number | null;
          "failed_last_hour": number | null;
          "known": number | null;
          "last_sent_at": string | null;
          "last_webhook_at": string | null;
          "latency_median_ms": number | null;
          "latency_p95_ms": number | null;
          "leased": number | null;
          "live": boolean | null;
          "oldest_due_age": string | null;
          "oldest_pending_age": string | null;
          "pause_reason": string | null;
          "paused": boolean | null;
          "paused_at": string | null;
          "pending": number | null;
          "required_field": number | null;
          "required_fields": string | null;
          "sent_last_hour": number | null;
          "shape_problems": number | null;
          "token_expires_at": string | null;
          "unfolded": number | null;
          "unreadable": number | null;
          "waiting": number | null;
          "webhook_failed": number | null;
          "without_address": number | null;
          "workers_alive": number | null;
        };
        ComputedFields: never;
        Relationships: [];
      };
    };
    Functions: {
      "abandon_reconcile": { Args: { "p_origin": string }; Returns: undefined };
      "abandon_worker": { Args: { "p_worker_id": string }; Returns: undefined };
      "absent_among": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_lead_ids": (string)[];
        };
        Returns: string[];
      };
      "acquire_token": {
        Args: {
          "p_client_id": string;
          "p_hold_ms": number;
          "p_holder": string;
          "p_origin": string;
        };
        Returns: Json;
      };
      "address_of": { Args: { "p_address": string }; Returns: string };
      "append_history": {
        Args: { "p_lease_token": string; "p_outcomes": Json };
        Returns: undefined;
      };
      "apply_events": { Args: { "p_event_ids": (number)[] }; Returns: number };
      "apply_pending_deliveries": { Args: { "p_limit"?: number }; Returns: number };
      "apply_pending_events": { Args: { "p_limit"?: number }; Returns: number };
      "as_boolean": { Args: { "p_given": boolean }; Returns: boolean };
      "as_text": { Args: { "p_given": string }; Returns: string };
      "ascii_domain": { Args: { "p_domain": string }; Returns: string };
      "assert_do_not_contact": {
        Args: {
          "p_after_id": number;
          "p_correlation_id": string;
          "p_limit": number;
          "p_origin": string;
        };
        Returns: Json;
      };
      "attach": {
        Args: {
          "activity"?: string;
          "address"?: string;
          "changed_at"?: string;
          "consent"?: string;
          "consent_at"?: string;
          "deleted"?: string;
          "key"?: string;
          "rank"?: number;
          "scope"?: string;
          "score"?: string;
          "source"?: string;
          "stage"?: string;
          "status"?: string;
          "table": string;
          "value"?: string;
        };
        Returns: {
          "expression": string;
          "remedy": string;
          "role": string;
          "why": string;
        }[];
      };
      "attach_declared": { Args: Record<PropertyKey, never>; Returns: number };
      "attach_report": {
        Args: { "p_source": string };
        Returns: {
          "expression": string;
          "remedy": string;
          "role": string;
          "why": string;
        }[];
      };
      "attach_statement": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "attempt": {
        Args: { "p_address": string; "p_attempted": Json; "p_payload": Json };
        Returns: Json;
      };
      "attempted_addresses": { Args: { "p_attempted": Json }; Returns: (string)[] };
      "base_type": { Args: { "p_type": unknown }; Returns: unknown };
      "begin_lift": {
        Args: {
          "p_contact_id": number;
          "p_entries": Json;
          "p_lead_id": string;
          "p_origin": string;
        };
        Returns: string;
      };
      "beyond_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_key": string;
          "p_operator": string;
        };
        Returns: string;
      };
      "can_read": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_sql": string;
        };
        Returns: boolean;
      };
      "candidates": {
        Args: { "p_lead_ids": (string)[]; "p_origin": string };
        Returns: Schema["mautic"]["CompositeTypes"]["candidate"][];
        SetofOptions: {
          from: "*";
          to: "candidate";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "changed_rows_sql": {
        Args: { "p_columns": (unknown)[]; "p_relation": unknown };
        Returns: string;
      };
      "changed_sql": { Args: { "p_changes": (string)[] }; Returns: string };
      "check_alias": { Args: { "p_alias": string }; Returns: undefined };
      "check_field": {
        Args: {
          "p_alias": string;
          "p_given": string;
          "p_read": Schema["mautic"]["CompositeTypes"]["expression"];
        };
        Returns: undefined;
      };
      "check_shape": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "name": string;
          "place": string;
          "problem": string;
          "remedy": string;
          "source": string;
        }[];
      };
      "check_source": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: {
          "name": string;
          "problem": string;
          "remedy": string;
        }[];
      };
      "check_table": { Args: { "p_table": unknown }; Returns: undefined };
      "check_watched": {
        Args: {
          "w": Omit<
            Schema["mautic"]["Tables"]["watched"]["Row"],
            Schema["mautic"]["Tables"]["watched"]["ComputedFields"]
          >;
        };
        Returns: {
          "name": string;
          "problem": string;
          "remedy": string;
        }[];
      };
      "chosen_candidates": { Args: Record<PropertyKey, never>; Returns: (string)[] };
      "claim": {
        Args: {
          "p_item_lease_ms": number;
          "p_limit": number;
          "p_origin": string;
          "p_project"?: string;
          "p_worker_id": string;
        };
        Returns: Json;
      };
      "claim_lead": {
        Args: {
          "p_address": string;
          "p_correlation_id": string;
          "p_holder": string;
          "p_item_lease_ms": number;
          "p_lead_id": string;
          "p_origin": string;
          "p_payload": Json;
          "p_project"?: string;
        };
        Returns: Json;
      };
      "claim_lock": { Args: Record<PropertyKey, never>; Returns: number };
      "clock": { Args: Record<PropertyKey, never>; Returns: string };
      "column_set_of": { Args: { "p_columns": (unknown)[] }; Returns: number };
      "columns_by_convention": {
        Args: { "p_role": string; "p_table": unknown };
        Returns: (unknown)[];
      };
      "columns_changed": {
        Args: { "p_changed": (number)[]; "p_column_set": number };
        Returns: unknown[];
      };
      "columns_in": { Args: { "p_relation": unknown; "p_select": string }; Returns: (unknown)[] };
      "columns_read": { Args: { "p_source": string }; Returns: (unknown)[] };
      "columns_watched": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "w": Omit<
            Schema["mautic"]["Tables"]["watched"]["Row"],
            Schema["mautic"]["Tables"]["watched"]["ComputedFields"]
          >;
        };
        Returns: (unknown)[];
      };
      "comparable_sql": {
        Args: { "p_column": unknown; "p_row": string; "p_table": unknown };
        Returns: string;
      };
      "compare": { Args: { "p_patience"?: string }; Returns: undefined };
      "compare_page": { Args: { "p_limit": number; "p_source": string }; Returns: boolean };
      "compare_rows": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_upto": string;
        };
        Returns: Record<string, unknown>[];
      };
      "compare_some": { Args: { "p_source": string; "p_until": string }; Returns: undefined };
      "confirm_enrollment": {
        Args: { "p_campaign_id": number; "p_contact_id": number; "p_origin": string };
        Returns: undefined;
      };
      "connect_table": { Args: { "p_source": string }; Returns: undefined };
      "consent_in_number": { Args: { "p_given": number }; Returns: boolean };
      "consent_in_text": { Args: { "p_given": string }; Returns: boolean };
      "consent_in_time": { Args: { "p_given": string }; Returns: boolean };
      "contact_in_use": {
        Args: { "p_address"?: string; "p_contact_id": number; "p_origin": string };
        Returns: boolean;
      };
      "contact_of_lead": {
        Args: { "p_address": string; "p_lead_id": string; "p_origin": string };
        Returns: {
          "contact_id": number;
          "is_moving": boolean;
        }[];
      };
      "contacts_to_check": {
        Args: { "p_after_id": number; "p_limit": number; "p_origin": string };
        Returns: Json;
      };
      "conventions": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "kinds": (string)[];
          "names": (string)[];
          "role": string;
        }[];
      };
      "correlation_id": { Args: Record<PropertyKey, never>; Returns: string };
      "count_absent": { Args: { "p_limit": number; "p_source": string }; Returns: boolean };
      "current_origin": { Args: Record<PropertyKey, never>; Returns: string };
      "decided_at": {
        Args: {
          "p_changed_at": string;
          "p_email_status": string;
          "s": Omit<
            Schema["mautic"]["Tables"]["subscription"]["Row"],
            Schema["mautic"]["Tables"]["subscription"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "delete_leads": { Args: { "p_lead_ids": (string)[] }; Returns: number };
      "deleted_sql": { Args: { "p_source": string }; Returns: string };
      "detach": { Args: { "source": string }; Returns: string };
      "digest_definition": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "digest_sql": {
        Args: { "p_row": string; "p_source": string; "p_table": unknown };
        Returns: string;
      };
      "doorbell_lock": { Args: Record<PropertyKey, never>; Returns: number };
      "doubt_contacts": {
        Args: { "p_origin": string; "p_person_keys": (string)[] };
        Returns: undefined;
      };
      "drop_absent": { Args: { "confirm"?: boolean; "source": string }; Returns: Json };
      "drop_functions": { Args: { "p_names": string }; Returns: string };
      "drop_generated": { Args: { "p_source": string }; Returns: string };
      "drop_moot": { Args: { "p_lead_ids": (string)[] }; Returns: undefined };
      "drop_token": {
        Args: { "p_client_id": string; "p_origin": string; "p_sealed": string };
        Returns: undefined;
      };
      "drop_triggers": { Args: { "p_except": unknown; "p_source": string }; Returns: undefined };
      "email_status_at": {
        Args: {
          "s": Omit<
            Schema["mautic"]["Tables"]["subscription"]["Row"],
            Schema["mautic"]["Tables"]["subscription"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "email_status_of": {
        Args: {
          "s": Omit<
            Schema["mautic"]["Tables"]["subscription"]["Row"],
            Schema["mautic"]["Tables"]["subscription"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "end_probe": { Args: { "p_holder": string }; Returns: undefined };
      "erase": { Args: { "address": string; "delete_leads"?: boolean }; Returns: Json };
      "erase_activity": { Args: { "p_lead_ids": (string)[] }; Returns: number };
      "erase_contacts": {
        Args: { "p_address": string; "p_lead_ids": (string)[]; "p_operation": string };
        Returns: Json;
      };
      "erase_inbox": { Args: { "p_address": string; "p_lead_ids": (string)[] }; Returns: Json };
      "escape_keys": { Args: Record<PropertyKey, never>; Returns: undefined };
      "event_key": {
        Args: {
          "p_address": string;
          "p_contact_id": number;
          "p_kind": string;
          "p_occurred_at": string;
          "p_origin": string;
          "p_place"?: number;
        };
        Returns: string;
      };
      "field_type": {
        Args: { "p_alias": string; "p_given": string; "p_type": unknown };
        Returns: Schema["mautic"]["Enums"]["field_type"];
      };
      "fields_sent": { Args: Record<PropertyKey, never>; Returns: Json };
      "fields_sql": { Args: { "p_lacking": (string)[]; "p_source": string }; Returns: string };
      "find_leads": {
        Args: { "p_addresses": (string)[] };
        Returns: {
          "address": string;
          "lead_id": string;
        }[];
      };
      "finish_reconcile": { Args: { "p_origin": string }; Returns: undefined };
      "finite_number": { Args: { "p_given": number }; Returns: number };
      "fold": { Args: { "p_limit": number }; Returns: boolean };
      "forget_contacts": {
        Args: { "p_contact_ids": (number)[]; "p_lead_id": string; "p_origin": string };
        Returns: undefined;
      };
      "forget_emptied": { Args: Record<PropertyKey, never>; Returns: undefined };
      "forget_leads": { Args: { "p_lead_ids": (string)[] }; Returns: undefined };
      "free_events": { Args: { "p_event_ids": (number)[] }; Returns: (number)[] };
      "free_leads": { Args: { "p_lead_ids": (string)[] }; Returns: string[] };
      "generated_version": { Args: Record<PropertyKey, never>; Returns: number };
      "get": { Args: { "name": string }; Returns: string };
      "give_back": { Args: { "p_lease_token": string }; Returns: number };
      "given_correlation_id": { Args: Record<PropertyKey, never>; Returns: string };
      "go_live": { Args: { "origin"?: string; "project"?: string }; Returns: string };
      "has_changes": { Args: Record<PropertyKey, never>; Returns: boolean };
      "has_key_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_keys"?: string;
        };
        Returns: string;
      };
      "has_routine": { Args: { "p_name": string; "p_schema": string }; Returns: boolean };
      "has_suspect": { Args: { "p_source": string }; Returns: boolean };
      "has_work": { Args: Record<PropertyKey, never>; Returns: boolean };
      "hasten_waiting": { Args: Record<PropertyKey, never>; Returns: undefined };
      "held_keys": { Args: Record<PropertyKey, never>; Returns: (string)[] };
      "hold_doorbell": { Args: Record<PropertyKey, never>; Returns: boolean };
      "intend_enrollment": {
        Args: {
          "p_campaign_id": number;
          "p_contact_id": number;
          "p_correlation_id": string;
          "p_hold_ms": number;
          "p_lead_id": string;
          "p_origin": string;
        };
        Returns: string;
      };
      "is_as_attached": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: boolean;
      };
      "is_comparison_due": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: boolean;
      };
      "is_consent_text": { Args: { "p_given": string }; Returns: boolean };
      "is_lift_overtaken": {
        Args: {
          "c": Omit<
            Schema["mautic"]["Tables"]["contact"]["Row"],
            Schema["mautic"]["Tables"]["contact"]["ComputedFields"]
          >;
        };
        Returns: boolean;
      };
      "is_live": { Args: { "p_origin": string; "p_project": string }; Returns: boolean };
      "is_mailable": { Args: { "p_status": string }; Returns: boolean };
      "is_of_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "is_overlong": { Args: { "p_lead_id": string }; Returns: boolean };
      "is_plain_type": { Args: { "p_type": unknown }; Returns: boolean };
      "is_same_source": { Args: { "p_lead_id": string; "p_other": string }; Returns: boolean };
      "join_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_row": string;
        };
        Returns: string;
      };
      "key_of_table": {
        Args: { "p_given": string; "p_table": unknown };
        Returns: Record<string, unknown>;
      };
      "key_sql": {
        Args: { "p_column": unknown; "p_row": string; "p_type": unknown };
        Returns: string;
      };
      "keys_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "kind_of_type": { Args: { "p_type": unknown }; Returns: string };
      "known_do_not_contact": { Args: { "p_origin": string }; Returns: number };
      "known_roles": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "kinds": (string)[];
          "missing": string;
          "place": number;
          "role": string;
        }[];
      };
      "lacking_setting": { Args: { "p_source": string }; Returns: string };
      "lane_quotas": { Args: { "p_limit": number }; Returns: (number)[] };
      "lane_sql": {
        Args: { "p_lane": Schema["mautic"]["Enums"]["lane"]; "p_rows": string };
        Returns: string;
      };
      "later_times": { Args: { "p_known": Json; "p_seen": Json }; Returns: Json };
      "lead_history": {
        Args: { "lead_id": string };
        Returns: {
          "at": string;
          "correlation_id": string;
          "detail": Json;
          "event": string;
        }[];
      };
      "lead_id_in": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_row": string;
        };
        Returns: string;
      };
      "lead_id_of": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "key": string;
        };
        Returns: string;
      };
      "lead_id_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_key": string;
          "p_type": unknown;
        };
        Returns: string;
      };
      "lead_lock": { Args: { "p_lead_id": string }; Returns: number };
      "leads_of": { Args: { "p_address": string }; Returns: (string)[] };
      "leads_to_send": {
        Args: {
          "p_seen": (Schema["mautic"]["CompositeTypes"]["seen_lead"])[];
          "p_taken": (Schema["mautic"]["Views"]["logged_lead"]["Row"])[];
        };
        Returns: Record<string, unknown>;
      };
      "leased_items": {
        Args: {
          "p_address"?: string;
          "p_lease_token": string;
          "p_origin": string;
          "p_payload"?: Json;
        };
        Returns: Json;
      };
      "leave_contact": {
        Args: {
          "p_contact_id": number;
          "p_filled": (string)[];
          "p_lead_id": string;
          "p_origin": string;
        };
        Returns: undefined;
      };
      "leave_worker": { Args: { "p_worker_id": string }; Returns: string };
      "lift_others": {
        Args: { "p_seen": (Schema["mautic"]["CompositeTypes"]["seen_lead"])[] };
        Returns: undefined;
      };
      "link_lead": {
        Args: {
          "p_is_held": boolean;
          "p_origin": string;
          "p_outcome": Schema["mautic"]["CompositeTypes"]["outcome"];
        };
        Returns: undefined;
      };
      "links_to_check": { Args: { "p_limit": number; "p_origin": string }; Returns: Json };
      "lock_leads": {
        Args: { "p_lead_ids": (string)[] };
        Returns: {
          "email_status": string;
          "email_status_changed_at": string;
          "lead_id": string;
        }[];
      };
      "log_delete_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "log_insert_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "log_sql": {
        Args: {
          "p_changes": string;
          "p_lane": Schema["mautic"]["Enums"]["lane"];
          "p_rows": string;
        };
        Returns: string;
      };
      "log_update_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "look_at_changes": {
        Args: { "p_taken": (Schema["mautic"]["Views"]["logged_lead"]["Row"])[] };
        Returns: Schema["mautic"]["CompositeTypes"]["seen_lead"][];
        SetofOptions: {
          from: "*";
          to: "seen_lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "look_at_leads": {
        Args: { "p_lead_ids": (string)[]; "p_logged_at": (string)[]; "p_times": (Json)[] };
        Returns: Schema["mautic"]["CompositeTypes"]["seen_lead"][];
        SetofOptions: {
          from: "*";
          to: "seen_lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "make_function": {
        Args: {
          "p_arguments": string;
          "p_body": string;
          "p_name": string;
          "p_returns": string;
          "p_settings": string;
        };
        Returns: undefined;
      };
      "make_readers": { Args: Record<PropertyKey, never>; Returns: undefined };
      "make_triggers": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: undefined;
      };
      "make_watches": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: undefined;
      };
      "make_writers": { Args: Record<PropertyKey, never>; Returns: undefined };
      "map_field": {
        Args: { "alias": string; "from": string; "source"?: string };
        Returns: string;
      };
      "mark_events": {
        Args: {
          "p_applied": (number)[];
          "p_changes": (Schema["mautic"]["CompositeTypes"]["email_change"])[];
          "p_event_ids": (number)[];
        };
        Returns: undefined;
      };
      "mask": { Args: { "p_text": string }; Returns: string };
      "match_events": {
        Args: { "p_event_ids": (number)[] };
        Returns: Schema["mautic"]["CompositeTypes"]["event_lead"][];
        SetofOptions: {
          from: "*";
          to: "event_lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "may_be_done": {
        Args: { "p_outcome": Schema["mautic"]["CompositeTypes"]["outcome"] };
        Returns: boolean;
      };
      "may_claim": { Args: { "p_holder": string; "p_origin": string }; Returns: string };
      "may_remove": {
        Args: { "p_attempted": (string)[]; "p_lead_id": string; "p_origin": string };
        Returns: boolean;
      };
      "merge_contact": {
        Args: { "p_loser": number; "p_origin": string; "p_survivor": number };
        Returns: undefined;
      };
      "merge_subscription": {
        Args: {
          "base": Omit<
            Schema["mautic"]["Tables"]["subscription"]["Row"],
            Schema["mautic"]["Tables"]["subscription"]["ComputedFields"]
          >;
          "news": Omit<
            Schema["mautic"]["Tables"]["subscription"]["Row"],
            Schema["mautic"]["Tables"]["subscription"]["ComputedFields"]
          >;
        };
        Returns: {
          "complained_at": string | null;
          "contact_id": number | null;
          "gone_at": string | null;
          "lead_id": string;
          "manual_at": string | null;
          "origin": string | null;
          "status": string | null;
          "status_at": string | null;
        };
        SetofOptions: {
          from: "*";
          to: "subscription";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "merged_payload": {
        Args: {
          "p_contact_id": number;
          "p_lead_id": string;
          "p_origin": string;
          "p_payload": Json;
        };
        Returns: Json;
      };
      "names_of_parts": { Args: { "p_paths": (string)[] }; Returns: (string)[] };
      "next_unread_delivery": { Args: Record<PropertyKey, never>; Returns: Json };
      "normalize_address": { Args: { "p_address": string }; Returns: string };
      "normalize_pasted_address": { Args: { "p_address": string }; Returns: string };
      "note_activity": {
        Args: { "p_rows": (Schema["mautic"]["CompositeTypes"]["activity"])[] };
        Returns: undefined;
      };
      "note_bulk": { Args: { "p_before": number; "p_changes": number }; Returns: undefined };
      "note_digest": { Args: { "p_source": string }; Returns: undefined };
      "number_in_text": { Args: { "p_given": string }; Returns: number };
      "operator_sql": { Args: { "p_name": string; "p_type": unknown }; Returns: string };
      "part_from_contact": {
        Args: { "p_contact_id": number; "p_is_forced"?: boolean; "p_origin": string };
        Returns: string;
      };
      "parts_lacking": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: (string)[];
      };
      "pause": { Args: { "reason"?: string }; Returns: string };
      "payload_of_call": { Args: { "p_lead_id": string; "p_payload": Json }; Returns: Json };
      "pending_after": {
        Args: {
          "p_enqueued_at": string;
          "p_lane": Schema["mautic"]["Enums"]["lane"];
          "p_lead_id": string;
          "p_limit": number;
        };
        Returns: (string)[];
      };
      "person_keys": {
        Args: {
          "p_address": string;
          "p_attempted": (string)[];
          "p_lead_id": string;
          "p_origin": string;
        };
        Returns: (string)[];
      };
      "pick": {
        Args: {
          "p_is_probe": boolean;
          "p_limit": number;
          "p_only_chosen": boolean;
          "p_origin": string;
        };
        Returns: Record<string, unknown>;
      };
      "pick_among": {
        Args: {
          "p_lead_ids": (string)[];
          "p_most": number;
          "p_origin": string;
          "p_so_far": Schema["mautic"]["CompositeTypes"]["picking"];
        };
        Returns: Schema["mautic"]["CompositeTypes"]["picking"];
        SetofOptions: {
          from: "*";
          to: "picking";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "pick_from": {
        Args: {
          "p_lane": Schema["mautic"]["Enums"]["lane"];
          "p_limit": number;
          "p_origin": string;
          "p_so_far": Schema["mautic"]["CompositeTypes"]["picking"];
        };
        Returns: Schema["mautic"]["CompositeTypes"]["picking"];
        SetofOptions: {
          from: "*";
          to: "picking";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "plain_name": { Args: { "p_name": string }; Returns: string };
      "probe_candidates": { Args: Record<PropertyKey, never>; Returns: (string)[] };
      "punycode": { Args: { "p_label": string }; Returns: string };
      "punycode_number": { Args: { "p_bias": number; "p_number": number }; Returns: string };
      "purge": { Args: Record<PropertyKey, never>; Returns: Json };
      "purge_cron_log": { Args: Record<PropertyKey, never>; Returns: number };
      "purge_history": { Args: Record<PropertyKey, never>; Returns: number };
      "purge_rings": { Args: Record<PropertyKey, never>; Returns: number };
      "purge_webhooks": { Args: { "p_older_than"?: string }; Returns: number };
      "queue_known": {
        Args: { "p_correlation_id": string; "p_lead_ids": (string)[] };
        Returns: number;
      };
      "queue_others": {
        Args: { "p_contact_id": number; "p_lead_id": string; "p_origin": string };
        Returns: undefined;
      };
      "queue_replay": {
        Args: { "p_correlation_id": string; "p_force": boolean; "p_lead_ids": (string)[] };
        Returns: number;
      };
      "read_activity": {
        Args: { "p_lead_ids": (string)[] };
        Returns: Schema["mautic"]["CompositeTypes"]["activity"][];
        SetofOptions: {
          from: "*";
          to: "activity";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "read_by": {
        Args: { "p_keys": (string)[]; "p_statement": string };
        Returns: Schema["mautic"]["CompositeTypes"]["lead"][];
        SetofOptions: {
          from: "*";
          to: "lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "read_correlation_id": { Args: Record<PropertyKey, never>; Returns: string };
      "read_email_status": {
        Args: { "p_contact_id": number; "p_lead_id": string; "p_origin": string };
        Returns: string;
      };
      "read_expression": {
        Args: { "p_given": string; "p_role": string; "p_table": unknown };
        Returns: Schema["mautic"]["CompositeTypes"]["expression"];
        SetofOptions: {
          from: "*";
          to: "expression";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "read_fields": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "alias": string;
          "columns": (unknown)[];
          "expression": string | null;
          "given": string | null;
          "is_standard": boolean;
          "part": (string)[] | null;
          "place": number;
          "source": string;
          "too_long": Schema["mautic"]["Enums"]["too_long"];
          "type": Schema["mautic"]["Enums"]["field_type"];
          "value_type": unknown;
          "when_blank": Schema["mautic"]["Enums"]["when_blank"];
        }[];
        SetofOptions: {
          from: "*";
          to: "field_map";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "read_halves": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_keys": (string)[];
          "p_statement": string;
        };
        Returns: Schema["mautic"]["CompositeTypes"]["lead"][];
        SetofOptions: {
          from: "*";
          to: "lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "read_lead_rows": {
        Args: { "keys": (string)[] };
        Returns: Schema["mautic"]["CompositeTypes"]["lead"][];
        SetofOptions: {
          from: "*";
          to: "lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "read_leads": {
        Args: { "p_lead_ids": (string)[] };
        Returns: Schema["mautic"]["CompositeTypes"]["lead"][];
        SetofOptions: {
          from: "*";
          to: "lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "read_page": { Args: { "p_limit": number; "p_source": string }; Returns: boolean };
      "read_part": {
        Args: { "p_key": string; "p_statement": string };
        Returns: Record<string, unknown>;
      };
      "read_parts": {
        Args: { "p_source": string };
        Returns: {
          "alias": string;
          "path": string;
          "role": string;
          "sql": string;
        }[];
      };
      "read_roles": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "role": string;
          "target": string;
        }[];
      };
      "read_singly": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_key": string;
        };
        Returns: Schema["mautic"]["CompositeTypes"]["lead"][];
        SetofOptions: {
          from: "*";
          to: "lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "read_status": { Args: Record<PropertyKey, never>; Returns: Json };
      "read_unseen": { Args: { "p_patience"?: string }; Returns: number };
      "read_watch": { Args: { "p_given": string; "p_table": unknown }; Returns: string };
      "read_what_is_there": {
        Args: { "p_keys": (string)[]; "p_source": string };
        Returns: Schema["mautic"]["CompositeTypes"]["lead"][];
        SetofOptions: {
          from: "*";
          to: "lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "receive_delivery": {
        Args: {
          "p_body": string;
          "p_correlation_id": string;
          "p_events": Json;
          "p_is_test": boolean;
          "p_origin": string;
        };
        Returns: Json;
      };
      "record_contact": {
        Args: {
          "p_is_held": boolean;
          "p_origin": string;
          "p_outcome": Schema["mautic"]["CompositeTypes"]["outcome"];
        };
        Returns: undefined;
      };
      "record_do_not_contact": {
        Args: {
          "p_after_id": number;
          "p_correlation_id": string;
          "p_entries": Json;
          "p_origin": string;
          "p_upto_id": number;
        };
        Returns: Json;
      };
      "recover": { Args: { "p_origin": string }; Returns: undefined };
      "relation_kind": { Args: { "p_table": unknown }; Returns: string };
      "release_enrollment": {
        Args: { "p_campaign_id": number; "p_contact_id": number; "p_origin": string };
        Returns: undefined;
      };
      "release_token": {
        Args: { "p_client_id": string; "p_holder": string; "p_origin": string };
        Returns: undefined;
      };
      "remember_change": { Args: { "p_lead_ids": (string)[] }; Returns: undefined };
      "remember_leads": {
        Args: { "p_seen": (Schema["mautic"]["CompositeTypes"]["seen_lead"])[] };
        Returns: undefined;
      };
      "removal_set": {
        Args: Record<PropertyKey, never>;
        Returns: Schema["mautic"]["Enums"]["contact_removal"];
      };
      "renew_lease": { Args: { "p_holder": string; "p_item_lease_ms": number }; Returns: number };
      "renew_probe": { Args: { "p_holder": string }; Returns: undefined };
      "renew_worker": {
        Args: { "p_item_lease_ms": number; "p_lease_ms": number; "p_worker_id": string };
        Returns: boolean;
      };
      "replace_events": {
        Args: {
          "p_correlation_id": string;
          "p_delivery_id": number;
          "p_events": Json;
          "p_is_test": boolean;
        };
        Returns: number;
      };
      "replay": { Args: { "force"?: boolean; "lead_id": string }; Returns: number };
      "replay_webhook": {
        Args: { "p_delivery_id": number; "p_read_again"?: boolean };
        Returns: Json;
      };
      "replay_where": {
        Args: {
          "changed_since"?: string;
          "changed_until"?: string;
          "confirm"?: boolean;
          "crm_status"?: (string)[];
          "dead_reason"?: string;
          "everything"?: boolean;
          "force"?: boolean;
          "never_synced"?: boolean;
          "synced_since"?: string;
          "synced_until"?: string;
        };
        Returns: Json;
      };
      "requeue_newer": {
        Args: { "p_origin": string; "p_outcome": Schema["mautic"]["CompositeTypes"]["outcome"] };
        Returns: boolean;
      };
      "reserved_ids": { Args: Record<PropertyKey, never>; Returns: string };
      "resolve_activity": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "resolve_field": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_alias": string;
          "p_given": string;
          "p_is_standard": boolean;
        };
        Returns: Schema["mautic"]["CompositeTypes"]["expression"];
        SetofOptions: {
          from: "*";
          to: "expression";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "resolve_role": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_kinds": (string)[];
          "p_missing": string;
          "p_role": string;
        };
        Returns: undefined;
      };
      "resolve_status": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: Record<string, unknown>;
      };
      "restore_lifted": {
        Args: { "p_contact_ids": (number)[]; "p_origin": string };
        Returns: undefined;
      };
      "restrictiveness": { Args: { "p_status": string }; Returns: number };
      "resume": { Args: Record<PropertyKey, never>; Returns: string };
      "rewrite": { Args: { "p_source": string }; Returns: undefined };
      "ring": { Args: { "p_correlation_id": string }; Returns: string };
      "ring_doorbell": {
        Args: { "p_changes": number; "p_correlation_id": string };
        Returns: undefined;
      };
      "ring_for": { Args: { "p_action": string; "p_correlation_id": string }; Returns: string };
      "ring_reconcile": { Args: Record<PropertyKey, never>; Returns: string };
      "role_sql": { Args: { "p_role": string; "p_source": string }; Returns: string };
      "run_patiently": {
        Args: { "p_relation": unknown; "p_statement": string };
        Returns: undefined;
      };
      "said_values": { Args: { "p_attnum": number; "p_table": unknown }; Returns: (string)[] };
      "save_subscriptions": {
        Args: { "p_leads": Json; "p_pairs": (Schema["mautic"]["CompositeTypes"]["event_lead"])[] };
        Returns: Schema["mautic"]["CompositeTypes"]["email_change"][];
        SetofOptions: {
          from: "*";
          to: "email_change";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "schedule_jobs": { Args: Record<PropertyKey, never>; Returns: string };
      "select_lead_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_lacking"?: (string)[];
        };
        Returns: string;
      };
      "send": { Args: { "key": string; "source"?: string }; Returns: string };
      "sending_state": { Args: { "p_origin"?: string; "p_project"?: string }; Returns: string };
      "set": { Args: { "name": string; "value": string }; Returns: string };
      "settle": {
        Args: {
          "p_answered"?: boolean;
          "p_batch_size"?: number;
          "p_halted"?: string;
          "p_lease_token": string;
          "p_origin": string;
          "p_outcomes": Json;
        };
        Returns: Json;
      };
      "settle_check": {
        Args: { "p_checked": Json; "p_correlation_id": string; "p_origin": string };
        Returns: number;
      };
      "settle_contacts": {
        Args: {
          "p_is_held": boolean;
          "p_origin": string;
          "p_outcome": Schema["mautic"]["CompositeTypes"]["outcome"];
        };
        Returns: undefined;
      };
      "settle_gone": {
        Args: {
          "p_item": Omit<
            Schema["mautic"]["Tables"]["outbox"]["Row"],
            Schema["mautic"]["Tables"]["outbox"]["ComputedFields"]
          >;
          "p_origin": string;
          "p_outcome": Schema["mautic"]["CompositeTypes"]["outcome"];
        };
        Returns: boolean;
      };
      "settle_item": {
        Args: {
          "p_item": Omit<
            Schema["mautic"]["Tables"]["outbox"]["Row"],
            Schema["mautic"]["Tables"]["outbox"]["ComputedFields"]
          >;
          "p_origin": string;
          "p_outcome": Schema["mautic"]["CompositeTypes"]["outcome"];
        };
        Returns: undefined;
      };
      "settle_links": {
        Args: { "p_merged": Json; "p_origin": string; "p_upto_id": number };
        Returns: undefined;
      };
      "settled_item": {
        Args: {
          "p_item": Omit<
            Schema["mautic"]["Tables"]["outbox"]["Row"],
            Schema["mautic"]["Tables"]["outbox"]["ComputedFields"]
          >;
          "p_outcome": Schema["mautic"]["CompositeTypes"]["outcome"];
        };
        Returns: {
          "ambiguous": boolean;
          "attempted": NonNullable<Json>;
          "attempts": number;
          "changed_at": string;
          "chosen": boolean;
          "correlation_id": string;
          "enqueued_at": string;
          "error_at": string | null;
          "error_code": string | null;
          "error_message": string | null;
          "error_remedy": string | null;
          "failed_alone": number;
          "fill": boolean;
          "force": boolean;
          "lane": Schema["mautic"]["Enums"]["lane"];
          "lead_id": string;
          "lease_expires_at": string | null;
          "lease_token": string | null;
          "leased_at": string | null;
          "leased_by": string | null;
          "leased_version": number | null;
          "not_before": string | null;
          "person_keys": (string)[] | null;
          "removal": Schema["mautic"]["Enums"]["contact_removal"] | null;
          "state": string;
          "version": number;
          "withdraws": boolean;
        };
        SetofOptions: {
          from: "*";
          to: "outbox";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "shape_lock": { Args: Record<PropertyKey, never>; Returns: number };
      "shows_our_status": {
        Args: {
          "p_email_status": string;
          "s": Omit<
            Schema["mautic"]["Tables"]["subscription"]["Row"],
            Schema["mautic"]["Tables"]["subscription"]["ComputedFields"]
          >;
        };
        Returns: boolean;
      };
      "source_for": {
        Args: { "p_schema": unknown; "p_source": string; "p_table": unknown };
        Returns: string;
      };
      "source_of": {
        Args: { "p_lead_id": string };
        Returns: {
          "absent": number;
          "absent_upto": string | null;
          "activity": string | null;
          "attached_at": string | null;
          "compared_at": string | null;
          "compared_mark": string | null;
          "compared_rows": number;
          "compared_upto": string | null;
          "comparing_since": string | null;
          "declared": NonNullable<Json>;
          "digest_of": string | null;
          "generated_version": number | null;
          "is_rewriting": boolean;
          "is_suspect": boolean;
          "key_column": unknown;
          "key_type": string | null;
          "overlong": number;
          "prefix": string;
          "problem": string | null;
          "rank": number;
          "read_problem": string | null;
          "read_to_end_at": string | null;
          "read_upto": string | null;
          "relation": unknown;
          "schema_name": unknown;
          "source": string;
          "status_at_column": unknown;
          "status_column": unknown;
          "table_name": unknown;
          "unseen": number;
        };
        SetofOptions: {
          from: "*";
          to: "attachment";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "standard_fields": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "alias": string;
          "from": string;
          "part": (string)[];
          "place": number;
          "too_long": Schema["mautic"]["Enums"]["too_long"];
          "type": Schema["mautic"]["Enums"]["field_type"];
          "when_blank": Schema["mautic"]["Enums"]["when_blank"];
        }[];
      };
      "start_reconcile": { Args: { "p_lease_ms": number; "p_origin": string }; Returns: Json };
      "start_worker": {
        Args: { "p_lease_ms": number; "p_max_workers": number; "p_worker_id": string };
        Returns: boolean;
      };
      "store_contact": {
        Args: {
          "p_is_held": boolean;
          "p_origin": string;
          "p_outcome": Schema["mautic"]["CompositeTypes"]["outcome"];
          "p_shows_lead": boolean;
        };
        Returns: undefined;
      };
      "store_entry_events": {
        Args: { "p_correlation_id": string; "p_entry_ids": (number)[]; "p_origin": string };
        Returns: (number)[];
      };
      "store_events": {
        Args: { "p_correlation_id": string; "p_delivery_id": number; "p_events": Json };
        Returns: Json;
      };
      "store_token": {
        Args: {
          "p_client_id": string;
          "p_expires_at": string;
          "p_holder": string;
          "p_origin": string;
          "p_sealed": string;
        };
        Returns: undefined;
      };
      "stretch_of": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_after": string;
          "p_upto": string;
        };
        Returns: Record<string, unknown>;
      };
      "subscription_base": {
        Args: {
          "p_changed_at": string;
          "p_email_status": string;
          "p_lead_id": string;
          "s": Omit<
            Schema["mautic"]["Tables"]["subscription"]["Row"],
            Schema["mautic"]["Tables"]["subscription"]["ComputedFields"]
          >;
        };
        Returns: {
          "complained_at": string | null;
          "contact_id": number | null;
          "gone_at": string | null;
          "lead_id": string;
          "manual_at": string | null;
          "origin": string | null;
          "status": string | null;
          "status_at": string | null;
        };
        SetofOptions: {
          from: "*";
          to: "subscription";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "sweep": { Args: Record<PropertyKey, never>; Returns: string };
      "table_mark": { Args: { "p_relation": unknown }; Returns: string };
      "table_of": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "take_changes": {
        Args: { "p_limit": number };
        Returns: {
          "cause": Schema["mautic"]["Enums"]["change_cause"];
          "changed": (number)[] | null;
          "changed_at": string | null;
          "chosen": boolean;
          "column_set": number | null;
          "correlation_id": string | null;
          "fill": boolean;
          "force": boolean;
          "id": number;
          "lane": Schema["mautic"]["Enums"]["lane"];
          "lead_id": string | null;
          "queued_at": string | null;
          "removal": Schema["mautic"]["Enums"]["contact_removal"] | null;
          "xid": unknown;
        }[];
        SetofOptions: {
          from: "*";
          to: "logged_lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "takes_silence_as_no": {
        Args: { "p_read": Schema["mautic"]["CompositeTypes"]["expression"]; "p_table": unknown };
        Returns: boolean;
      };
      "trigger_body": {
        Args: { "p_keys": string; "p_source": string; "p_what": string };
        Returns: string;
      };
      "trouble_of": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_expression": string;
          "p_type": unknown;
        };
        Returns: string;
      };
      "try_doorbell": { Args: Record<PropertyKey, never>; Returns: boolean };
      "try_events": {
        Args: { "p_event_ids": (number)[]; "p_one_by_one": boolean };
        Returns: number;
      };
      "turn_comparison": { Args: { "p_begins": boolean; "p_source": string }; Returns: undefined };
      "unmap_field": { Args: { "alias": string; "source"?: string }; Returns: string };
      "unread_leads": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
          "p_keys": (string)[];
        };
        Returns: Schema["mautic"]["CompositeTypes"]["lead"][];
        SetofOptions: {
          from: "*";
          to: "lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "unwatch": { Args: { "source"?: string; "table": string }; Returns: string };
      "update_circuit": {
        Args: { "p_answered": boolean; "p_halted": string; "p_holder": string; "p_origin": string };
        Returns: boolean;
      };
      "value_sql": {
        Args: { "p_expression": string; "p_target": string; "p_type": unknown };
        Returns: string;
      };
      "vault_secret": { Args: { "p_name": string }; Returns: string };
      "watch": { Args: { "lead": string; "source"?: string; "table": string }; Returns: string };
      "watch_statement": {
        Args: {
          "w": Omit<
            Schema["mautic"]["Tables"]["watched"]["Row"],
            Schema["mautic"]["Tables"]["watched"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "where_sql": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "withdraw_enrollment": {
        Args: { "p_campaign_id": number; "p_contact_id": number; "p_origin": string };
        Returns: undefined;
      };
      "without_overlong": {
        Args: { "p_taken": (Schema["mautic"]["Views"]["logged_lead"]["Row"])[] };
        Returns: {
          "cause": Schema["mautic"]["Enums"]["change_cause"];
          "changed": (number)[] | null;
          "changed_at": string | null;
          "chosen": boolean;
          "column_set": number | null;
          "correlation_id": string | null;
          "fill": boolean;
          "force": boolean;
          "id": number;
          "lane": Schema["mautic"]["Enums"]["lane"];
          "lead_id": string | null;
          "queued_at": string | null;
          "removal": Schema["mautic"]["Enums"]["contact_removal"] | null;
          "xid": unknown;
        }[];
        SetofOptions: {
          from: "*";
          to: "logged_lead";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "write_email_changes": {
        Args: { "p_changes": (Schema["mautic"]["CompositeTypes"]["email_change"])[] };
        Returns: undefined;
      };
      "write_email_status": {
        Args: { "p_changed_at": (string)[]; "p_lead_ids": (string)[]; "p_statuses": (string)[] };
        Returns: undefined;
      };
      "write_fields": {
        Args: {
          "a": Omit<
            Schema["mautic"]["Tables"]["attachment"]["Row"],
            Schema["mautic"]["Tables"]["attachment"]["ComputedFields"]
          >;
        };
        Returns: undefined;
      };
      "yield_contact": { Args: { "p_lead_id": string; "p_origin": string }; Returns: undefined };
    };
    Enums: {
      "change_cause": "insert" | "update" | "delete" | "suspect" | "replay" | "mailable";
      "contact_removal": "do_not_contact" | "delete_contact";
      "field_type": "text" | "number";
      "lane": "new" | "live" | "bulk" | "backfill";
      "table_cause": "truncate" | "suspect";
      "too_long": "cut" | "refuse";
      "when_blank": "keep" | "clear";
    };
    CompositeTypes: {
      "activity": {
        "lead_id": string | null;
        "type": string | null;
        "detail": Json | null;
        "occurred_at": string | null;
      };
      "candidate": {
        "lead_id": string | null;
        "lane": Schema["mautic"]["Enums"]["lane"] | null;
        "enqueued_at": string | null;
        "is_moot": boolean | null;
        "person_keys": (string)[] | null;
        "attempted": Json | null;
      };
      "email_change": {
        "lead_id": string | null;
        "was": string | null;
        "status": string | null;
        "at": string | null;
        "event_id": number | null;
      };
      "event_lead": {
        "event_id": number | null;
        "lead_id": string | null;
      };
      "expression": {
        "text": string | null;
        "type": unknown;
        "columns": (unknown)[] | null;
        "tables": (string)[] | null;
      };
      "lead": {
        "lead_id": string | null;
        "source": string | null;
        "address": string | null;
        "payload": Json | null;
        "email_status": string | null;
        "changed_at": string | null;
        "digest": number | null;
      };
      "outcome": {
        "lead_id": string | null;
        "result": string | null;
        "action": string | null;
        "enrollment": string | null;
        "contact_id": number | null;
        "address": string | null;
        "lead_address": string | null;
        "snapshot": Json | null;
        "refused": Json | null;
        "do_not_contact": Json | null;
        "filled": (string)[] | null;
        "shows_lead": boolean | null;
        "changed_at": string | null;
        "asked_contact_id": number | null;
        "removed_contact_ids": (number)[] | null;
        "delay_ms": number | null;
        "failed_alone": boolean | null;
        "may_be_done": boolean | null;
        "error_code": string | null;
        "error_message": string | null;
        "error_remedy": string | null;
      };
      "picking": {
        "picked": (Schema["mautic"]["CompositeTypes"]["candidate"])[] | null;
        "moot": (string)[] | null;
        "held": (string)[] | null;
        "upto": Schema["mautic"]["CompositeTypes"]["candidate"] | null;
        "is_empty": boolean | null;
      };
      "seen_lead": {
        "lead_id": string | null;
        "is_whole": boolean | null;
        "source": string | null;
        "address": string | null;
        "stage": string | null;
        "consent": boolean | null;
        "changed_at": string | null;
        "digest": number | null;
        "was_stage": string | null;
        "was_consent": boolean | null;
        "was_there": boolean | null;
        "known_since": string | null;
        "logged_at": string | null;
        "times": Json | null;
      };
    };
  };
  "public": {
    Tables: {
      "lead_activity": {
        Row: {
          "created_at": string;
          "detail": NonNullable<Json>;
          "id": number;
          "lead_id": string;
          "occurred_at": string;
          "type": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "detail"?: NonNullable<Json>;
          "id"?: never;
          "lead_id": string;
          "occurred_at"?: string;
          "type": string;
        };
        Update: {
          "created_at"?: string;
          "detail"?: NonNullable<Json>;
          "id"?: never;
          "lead_id"?: string;
          "occurred_at"?: string;
          "type"?: string;
        };
        Relationships: [];
      };
      "leads": {
        Row: {
          "company": string | null;
          "created_at": string;
          "crm_status": string | null;
          "email": string | null;
          "email_status": string | null;
          "email_status_changed_at": string | null;
          "first_name": string | null;
          "id": string;
          "last_name": string | null;
          "marketing_opt_in": boolean | null;
          "ml_score": number | null;
          "phone": string | null;
          "updated_at": string;
          "utm_campaign": string | null;
          "utm_content": string | null;
          "utm_medium": string | null;
          "utm_source": string | null;
          "utm_term": string | null;
        };
        ComputedFields: never;
        Insert: {
          "company"?: string | null;
          "created_at"?: string;
          "crm_status"?: string | null;
          "email"?: string | null;
          "email_status"?: string | null;
          "email_status_changed_at"?: string | null;
          "first_name"?: string | null;
          "id"?: string;
          "last_name"?: string | null;
          "marketing_opt_in"?: boolean | null;
          "ml_score"?: number | null;
          "phone"?: string | null;
          "updated_at"?: string;
          "utm_campaign"?: string | null;
          "utm_content"?: string | null;
          "utm_medium"?: string | null;
          "utm_source"?: string | null;
          "utm_term"?: string | null;
        };
        Update: {
          "company"?: string | null;
          "created_at"?: string;
          "crm_status"?: string | null;
          "email"?: string | null;
          "email_status"?: string | null;
          "email_status_changed_at"?: string | null;
          "first_name"?: string | null;
          "id"?: string;
          "last_name"?: string | null;
          "marketing_opt_in"?: boolean | null;
          "ml_score"?: number | null;
          "phone"?: string | null;
          "updated_at"?: string;
          "utm_campaign"?: string | null;
          "utm_content"?: string | null;
          "utm_medium"?: string | null;
          "utm_source"?: string | null;
          "utm_term"?: string | null;
        };
        Relationships: [];
      };
    };
    Views: {
      [_ in never]: never;
    };
    Functions: {
      [_ in never]: never;
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Schema, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Schema, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof (
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
    )
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals } ? (
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
  )[TableName] extends {
    Row: infer R;
  } ? R
  : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R;
    } ? R
    : never
  : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends
    {
      Insert: infer I;
    } ? I
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I;
    } ? I
    : never
  : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends
    {
      Update: infer U;
    } ? U
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U;
    } ? U
    : never
  : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][
    CompositeTypeName
  ]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never;

export const Constants = {
  "mautic": {
    Enums: {
      "change_cause": ["insert", "update", "delete", "suspect", "replay", "mailable"],
      "contact_removal": ["do_not_contact", "delete_contact"],
      "field_type": ["text", "number"],
      "lane": ["new", "live", "bulk", "backfill"],
      "table_cause": ["truncate", "suspect"],
      "too_long": ["cut", "refuse"],
      "when_blank": ["keep", "clear"],
    },
  },
  "public": {
    Enums: {},
  },
} as const;
