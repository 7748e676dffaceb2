/* connect and map (pipeline/connect.cpp, intake.cpp, map.cpp, roles.cpp): one object of RAWS raw records on its way from a
 * source into the raw log, the log of records and the table of outcomes. Two processes connect, two map; any of them may
 * stop for any time, or die. A worker may go on although its partition went to the other, so both read everything.
 *
 * Broken on purpose: ACK_FIRST, POSITION_FIRST, OUTCOME_TWICE.
 */
#define RAWS 2
#define DEATHS 1
#define MOST (RAWS * (2 + DEATHS)) /* each process and each death appends the object once more */
#include "laws.pml"

bool appended;           /* row of table object */
bool acknowledged;       /* the source was told */
byte raw_log[MOST];      /* raw number of each message */
byte length;
bool in_raw_log[RAWS];
bool in_records[RAWS];   /* porta.records holds what was mapped */
byte outcomes[RAWS];     /* rows of table raw */
byte group_position;     /* of the group porta.map, kept by the log */

#define settled(raw) (outcomes[raw] == 1 && in_records[raw])

inline acknowledge() {
    d_step { acknowledged = true; law(no_acknowledged_input_lost, in_raw_log[0] && in_raw_log[1]) }
}

proctype connect() {
    byte i;
again:
    i = 0;
    /* The object is registered here, one process at a time; both find one row and the same numbers. */
    if
    :: appended -> goto tell
    :: else
    fi;
#ifdef ACK_FIRST
    acknowledge();
#endif
    do
    :: i < RAWS ->
        d_step { raw_log[length] = i; in_raw_log[i] = true; length++; i++ }
        MAY_DIE(again) /* also: it was appended, and the answer was lost */
    :: else -> break
    od;
    appended = true;
tell:
    MAY_DIE(again);
    acknowledge()
}

/* Perhaps backwards, when the other worker was ahead. */
inline move_position() {
    d_step { group_position = at; law(position_moves_with_its_effect, settled(raw)) }
}

proctype map() {
    byte at, raw;
again:
    at = group_position;
end:
    do
    :: d_step { at < length -> raw = raw_log[at]; at++ }
#ifdef POSITION_FIRST
        move_position();
        MAY_DIE(again);
#endif
        in_records[raw] = true;
        MAY_DIE(again);
        d_step { /* ON CONFLICT DO NOTHING: the key is the raw number */
#ifndef OUTCOME_TWICE
            if
            :: outcomes[raw] == 0 -> outcomes[raw]++
            :: else
            fi;
#else
            outcomes[raw]++;
#endif
            law(one_outcome_each, outcomes[raw] == 1)
        }
        MAY_DIE(again);
        move_position()
    od
}

init {
    atomic { run connect(); run connect(); run map(); run map() }
    atomic { timeout -> law(no_acknowledged_input_lost, acknowledged && settled(0) && settled(1)) }
}
