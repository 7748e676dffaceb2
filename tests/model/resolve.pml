/* resolve and project (pipeline/roles.cpp, resolve.cpp, project.cpp, the lease in postgres/postgres_store.cpp): two
 * resolvers, one with the lease, over a log of records; the outbox; and a worker that projects what the outbox sent. Any
 * of them may stop for any time and come back, or die. The time of a holder may be over at any moment.
 *
 * Broken on purpose: NO_FENCE, SILENT_LOSS (who lost the lease and gets it again is not told), NO_KEY (with NO_FENCE: two
 * entries of the identity log may have one number), POSITION_ALONE, NO_OUTBOX, COUNT_REPEATS, AS_SENT (project stores the
 * revision of the message, not the store's).
 */
#define DEATHS 1
#define TAKEOVERS 1 /* from a holder that lives, besides those from one that died */
#define MESSAGES 4
#define MOST 8
#include "laws.pml"

/* porta.records: record 0, the same once more, record 1, record 0 mapped again. Both are of one object of a full feed. */
#define record_of(i) ((i) == 2 -> 1 : 0)
#define attempt_of(i) ((i) == 3 -> 2 : 1)

/* The store. */
byte position;             /* log_position */
byte taken[2];             /* operation: the attempt, 0: none */
byte done;                 /* object.done */
bool evaluated;            /* snapshot */
byte id[2], ids;           /* member; the last number of identity_log */
byte revision[2], sent[2]; /* person */
byte projected[2];
byte lease_epoch, lease_holder;
byte takeovers;
bool connected[3]; /* the server's end of a process's connection; 0 is nobody's */

/* porta.persons. It is compacted: a message before the last one of its person may be gone. */
byte topic_person[MOST], topic_revision[MOST], topic_length, last[2], project_position;

#ifdef NO_FENCE
#define fence_holds true
#else
#define fence_holds (epoch == lease_epoch)
#endif

/* Memory is read from the store when the lease is new. */
inline load() {
    d_step { next = ids + 1; cursor = position; known[0] = taken[0]; known[1] = taken[1] }
}

inline take() {
    d_step {
#ifndef NO_KEY
        law(a_fenced_resolver_cannot_write, epoch == lease_epoch);
        law(a_resolver_knows_the_store, known[0] == taken[0] && known[1] == taken[1]);
#endif
#ifdef COUNT_REPEATS
        done++;
#endif
        if
        :: taken[r] < a ->
            if
            :: taken[r] == 0 ->
                law(an_id_has_one_owner, id[1 - r] != next);
                id[r] = next; ids = next; next++;
#ifndef COUNT_REPEATS
                done++
#endif
            :: else
            fi;
            taken[r] = a; known[r] = a;
#ifdef NO_OUTBOX
            sent[r] = revision[r] + 1;
#endif
            revision[r]++
        :: else
        fi;
        if
        :: done == 2 && !evaluated -> evaluated = true; law(a_snapshot_waits_for_all_rows, taken[0] && taken[1])
        :: else
        fi;
        cursor++; position = cursor
    }
}

/* A role waits for work; the model's, so that it comes to rest. */
#define work_left \
    (position < MESSAGES || (next && cursor < MESSAGES) || sent[0] < revision[0] || sent[1] < revision[1])

proctype resolve(byte me) {
    byte epoch, next, cursor, known[2], r, a;
again:
    atomic { epoch = 0; next = 0; cursor = 0; known[0] = 0; known[1] = 0; r = 0; a = 0 }
end:
    do
    :: atomic { work_left -> /* hold() */
        connected[me] = true; /* outside of a transaction a lost connection is made anew */
        if
        :: epoch && lease_epoch == epoch
        :: else ->
#ifndef SILENT_LOSS
            if
            :: epoch -> goto again
            :: else
            fi;
#endif
            if
            :: lease_holder == me || !connected[lease_holder]
            :: lease_holder != me && connected[lease_holder] && takeovers < TAKEOVERS ->
                takeovers++; connected[lease_holder] = false
            :: lease_holder != me && connected[lease_holder] -> goto again
            fi;
            lease_epoch++; lease_holder = me; epoch = lease_epoch
        fi }
        if
        :: next == 0 -> load()
        :: else
        fi;
        if
        :: cursor < MESSAGES ->
            d_step { connected[me] = true; r = record_of(cursor); a = attempt_of(cursor) } /* BEGIN */
#ifdef POSITION_ALONE
            position = cursor + 1;
#endif
            MAY_DIE(dead);
            /* The check keeps the lease's row to the end: a successor ends this connection before it gets the row. */
            if
            :: connected[me] && fence_holds
            :: else -> goto again
            fi;
            if
#ifndef NO_KEY
            :: connected[me] && taken[r] == 0 && next != ids + 1 -> goto again
#endif
            :: else ->
                if
                :: atomic { connected[me] -> take() }
                :: !connected[me] -> goto again
                fi
            fi;
            MAY_DIE(dead)
        :: cursor >= MESSAGES
        fi;
        if /* relay() */
        :: d_step { sent[0] < revision[0] -> r = 0; a = revision[0] }
        :: d_step { sent[1] < revision[1] -> r = 1; a = revision[1] }
        :: else -> goto idle
        fi;
        d_step {
            topic_person[topic_length] = r; topic_revision[topic_length] = a;
            last[r] = topic_length; topic_length++; connected[me] = true
        }
        MAY_DIE(dead);
        if
        :: atomic { connected[me] && fence_holds ->
            if
            :: sent[r] < a -> sent[r] = a
            :: else
            fi }
        :: !(connected[me] && fence_holds) -> goto again
        fi;
idle:   skip
    od;
dead:
    connected[me] = false;
    goto again
}

proctype project() {
    byte at, p;
again:
    at = project_position;
end:
    do
    :: at < topic_length ->
        d_step { p = topic_person[at] }
        if
        :: at < last[p] /* compacted away */
        :: d_step { true ->
#ifdef AS_SENT
            if
            :: projected[p] < topic_revision[at] -> projected[p] = topic_revision[at]
            :: else
            fi
#else
            projected[p] = revision[p]
#endif
            }
        fi;
        MAY_DIE(again);
        d_step { at++; project_position = at }
    od
}

init {
    atomic { run resolve(1); run resolve(2); run project() }
    atomic { timeout ->
        law(no_acknowledged_input_lost, taken[0] == 2 && taken[1] == 1);
        law(position_moves_with_its_effect, position == MESSAGES && done == 2 && evaluated);
        law(an_id_has_one_owner, id[0] && id[1] && id[0] != id[1]);
        law(what_was_sent_converges, sent[0] == revision[0] && sent[1] == revision[1]);
        law(what_was_sent_converges, projected[0] == revision[0] && projected[1] == revision[1]) }
}
