/* law(name, p): p holds here, or spin reports an error that carries the name. The variables are never set. */
#define law(name, p) assert((p) || name)
bool no_acknowledged_input_lost, one_outcome_each, position_moves_with_its_effect, a_fenced_resolver_cannot_write,
    a_resolver_knows_the_store, what_was_sent_converges, an_id_has_one_owner, an_unmerge_revives_the_id,
    a_snapshot_waits_for_all_rows, no_view_leaves_unlogged, an_old_id_leads_to_its_founder;

byte deaths; /* of all processes together */
#define MAY_DIE(start) \
    if \
    :: atomic { deaths < DEATHS -> deaths++; goto start } \
    :: true \
    fi
