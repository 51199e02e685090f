-- What the database lets us do.

-- name: look_at_rights^
-- Whether it takes no writes, and whether every table and sequence beside the journal of migrations
-- is ours to use.
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only,
       coalesce(
           bool_and(
               CASE relkind
                   WHEN 'S' THEN has_sequence_privilege(oid, 'USAGE')
                   ELSE has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                        AND has_table_privilege(oid, 'UPDATE')
                        AND has_table_privilege(oid, 'DELETE')
               END),
           true) AS has_rights
  FROM pg_class
 WHERE relnamespace = (SELECT relnamespace FROM pg_class
                        WHERE oid = to_regclass('schema_migration'))
   AND relkind IN ('r', 'p', 'S')
   AND relname <> 'schema_migration';
