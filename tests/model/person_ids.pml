/* The identity log (identity/log.cpp): which ids RECORDS records carry while they come, go, are joined and come apart in any
 * way, STEPS times. The partition itself is given; what is decided are ids.
 *
 * Broken on purpose: NO_REVIVAL, SHARED_ID (each part of a split keeps the id).
 */
#define RECORDS 3
#define STEPS 5
#define MOST (RECORDS * 3 + 1)
#include "laws.pml"

/* The state that the log's entries add up to. 0 is nobody's id. */
byte has[RECORDS], joined[RECORDS];
byte founder[MOST], redirect[MOST], ids, entries;
/* Ids of the last moment when each record was a person of its own and had founded its id; 0: a record left since. */
byte alone[RECORDS];

/* The step's choice and what follows from it. */
bool live[RECORDS];
byte set[RECORDS]; /* equal numbers: one person; numbered by their first records */
byte chosen[RECORDS], heir[MOST], order[MOST];
byte steps, k, p, s, top, target;
bool changed, woken[RECORDS];
#define NOWHERE 9

#define is_in(record, group) (live[record] && set[record] == (group))
#define given(condition, body) if :: condition -> body :: else fi

inline leads_to(from) {
    target = from;
    do
    :: redirect[target] -> target = redirect[target]
    :: else -> break
    od
}

inline decide() {
    /* The heir of a living id: the set with its founding record, else with its earliest joined. */
    for (p : 1 .. ids) { heir[p] = NOWHERE; order[p] = 255 }
    for (k : 0 .. RECORDS - 1) {
        p = has[k];
        given(live[k] && p && founder[p] == k, order[p] = 0; heir[p] = set[k]);
        given(live[k] && p && joined[k] < order[p], order[p] = joined[k]; heir[p] = set[k])
    }
    /* The elder living id of a set, else its elder sleeping one, else a new one. */
    for (s : 0 .. RECORDS - 1) {
        chosen[s] = 0;
        for (p : 1 .. ids) { given(!chosen[s] && heir[p] == s, chosen[s] = p) }
#ifdef SHARED_ID
        for (k : 0 .. RECORDS - 1) { given(live[k] && set[k] == s && has[k], chosen[s] = has[k]) }
#endif
        given(chosen[s], redirect[chosen[s]] = 0);
        woken[s] = !chosen[s];
#ifndef NO_REVIVAL
        for (p : 1 .. ids) { given(!chosen[s] && heir[p] == NOWHERE && is_in(founder[p], s), chosen[s] = p) }
#endif
        for (k : 0 .. RECORDS - 1) {
            given(!chosen[s] && is_in(k, s), ids++; founder[ids] = k; heir[ids] = s; chosen[s] = ids)
        }
    }
    /* Who founds or wakes an id enters it before those who join. */
    for (s : 0 .. 1) {
        for (k : 0 .. RECORDS - 1) {
            p = chosen[set[k]];
            given(live[k] && has[k] != p && (s || (woken[set[k]] && founder[p] == k)),
                  has[k] = p; entries++; joined[k] = entries);
            given(!live[k], has[k] = 0)
        }
    }
    for (s : 0 .. RECORDS - 1) { given(chosen[s], redirect[chosen[s]] = 0) }
    /* An id that gave way leads to where its founding record is, else to its records. */
    for (p : 1 .. ids) {
        given(heir[p] != NOWHERE && chosen[heir[p]] != p,
              redirect[p] = (live[founder[p]] -> chosen[set[founder[p]]] : chosen[heir[p]]))
    }
    changed = true;
    do
    :: changed ->
        changed = false;
        for (p : 1 .. ids) {
            leads_to(p);
            given(heir[p] == NOWHERE && live[founder[p]] && target != chosen[set[founder[p]]] && chosen[set[founder[p]]] != p,
                  redirect[p] = chosen[set[founder[p]]]; changed = true)
        }
    :: else -> break
    od
}

inline check() {
    law(an_id_has_one_owner, (!live[0] || has[0]) && (!live[1] || has[1]) && (!live[2] || has[2]));
    law(an_id_has_one_owner, !live[0] || !live[1] || (set[0] == set[1]) == (has[0] == has[1]));
    law(an_id_has_one_owner, !live[0] || !live[2] || (set[0] == set[2]) == (has[0] == has[2]));
    law(an_id_has_one_owner, !live[1] || !live[2] || (set[1] == set[2]) == (has[1] == has[2]));
    /* An id without records leads to where its founding record is now. */
    for (p : 1 .. ids) {
        leads_to(p);
        law(an_old_id_leads_to_its_founder,
            has[0] == p || has[1] == p || has[2] == p || !live[founder[p]] || target == has[founder[p]])
    }
    if
    :: !(live[0] && live[1] && live[2]) -> alone[0] = 0; alone[1] = 0; alone[2] = 0
    :: live[0] && live[1] && live[2] && set[1] == 1 && set[2] == 2 ->
        law(an_unmerge_revives_the_id,
            !alone[0] || (has[0] == alone[0] && has[1] == alone[1] && has[2] == alone[2]));
        if
        :: founder[has[0]] == 0 && founder[has[1]] == 1 && founder[has[2]] == 2 ->
            alone[0] = has[0]; alone[1] = has[1]; alone[2] = has[2]
        :: else
        fi
    :: else
    fi
}

init {
    do
    :: atomic { steps < STEPS ->
        if :: live[0] = true :: live[0] = false fi;
        if :: live[1] = true :: live[1] = false fi;
        if :: live[2] = true :: live[2] = false fi;
        /* Any partition, each in one numbering. */
        set[0] = 0; top = 1;
        if :: set[1] = 0 :: set[1] = 1; top = 2 fi;
        if :: set[2] = 0 :: top == 2 -> set[2] = 1 :: set[2] = top fi;
        d_step { decide(); check(); steps++;
            /* Nothing but the log's state is carried on. */
            k = 0; p = 0; s = 0; top = 0; target = 0; changed = false;
            for (p : 0 .. RECORDS - 1) { chosen[p] = 0; woken[p] = false }
            p = 0 } }
    :: steps == STEPS -> break
    od
}
