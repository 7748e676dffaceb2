/* Views for recipients (pipeline/project.cpp, receive.cpp): one person, whose store comes to REVISIONS, and two workers that
 * keep and deliver its view, because the person's partition went from one to the other while the first was stopped. Either
 * may die. Readers take the greatest revision that the topic holds.
 *
 * Broken on purpose: MARK_FIRST, LOG_LATER, COMPACTED (the topic keeps the last message of a person alone).
 */
#define DEATHS 1
#define REVISIONS 3
#include "laws.pml"

byte revision;            /* person.revision */
byte kept, sent;          /* view_row */
byte greatest, last;      /* of what porta.views.<purpose> holds */
byte disclosed;           /* the decision log names a delivery of this revision or a greater one */

#ifdef COMPACTED
#define found last
#else
#define found greatest
#endif

/* Also downwards: a worker that was overtaken owes the later revision once more. */
inline mark() {
    sent = mine
}

proctype project() {
    byte mine;
again:
    mine = 0;
end:
    do
    :: atomic { kept < revision -> mine = revision } /* one snapshot of the store */
        MAY_DIE(again);
        d_step { if :: kept < mine -> kept = mine :: else fi }
    :: atomic { sent < kept -> mine = kept }
#ifdef MARK_FIRST
        mark();
        MAY_DIE(again);
#endif
#ifndef LOG_LATER
        d_step { if :: disclosed < mine -> disclosed = mine :: else fi }
        MAY_DIE(again);
#endif
        d_step {
            law(no_view_leaves_unlogged, disclosed >= mine);
            last = mine;
            if :: greatest < mine -> greatest = mine :: else fi
        }
        MAY_DIE(again);
#ifndef MARK_FIRST
        mark()
#endif
    od
}

init {
    atomic { run project(); run project() }
    do
    :: revision < REVISIONS -> revision++
    :: else -> break
    od;
    atomic { timeout -> law(what_was_sent_converges, kept == REVISIONS && sent == kept && found == kept) }
}
