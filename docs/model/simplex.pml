/*
 * The voting rules of Sources/Consensus (SafetyRules, CertificateBook), four validators, one of them Byzantine, and
 * with EPOCH the change of epoch. README.md says what is abstracted and why that loses no run.
 *
 * Bounds   VIEWS       views of the first epoch (at most 4 with EPOCH; 6 views altogether)
 *          NEXT_VIEWS  views of the second epoch, with EPOCH
 * Detail   ADVANCE     a replica that sees a finalization drops its records at or below that view, and closes them
 *          CRASH       permit, persist and sign are three steps; a crash may fall between any two
 *          ORDERED     views are played lowest first
 *          IDENTITY    seats are told apart: no symmetry reduction
 * Checks   MUTANT BROKEN_x   guard x is removed, and only agreement is asserted
 *          WITNESS=k   asserts that a good run does not exist, so that SPIN shows one
 *          OUTCOMES    prints the certificates of every state
 */
#ifndef VIEWS
#define VIEWS 3
#endif
#ifdef EPOCH
#ifndef NEXT_VIEWS
#define NEXT_VIEWS 2
#endif
#else
#define NEXT_VIEWS 0
#endif
#define ALL (VIEWS + NEXT_VIEWS)

#define HONEST 3
#define BYZANTINE 1
#ifdef BROKEN_quorum
#define QUORUM 2
#else
#define QUORUM 3 /* n - floor((n - 1) / 3), n = 4 */
#endif

/* ---- What is stated in a view: a set of statements. Slot s = 0, 1: the two proposals that a view may see. ---- */
#define NOTARIZE(s) (1 << (s))
#define NULLIFY 4
#define FINALIZE(s) (8 << (s))
#define STATEMENTS 31
#define CLOSED 32 /* the record was dropped because the view is at or below the final one */

#define SEAT(v, i) (HONEST * (v) + (i))
byte memory[HONEST * ALL]; /* SafetyRules.records: what the rules look at, and CLOSED */
byte cast[HONEST * ALL];   /* signed and sent: whoever likes may hold these votes, now or later or never */
#ifdef CRASH
byte durable[HONEST * ALL]; /* what the store gives back after a crash */
#endif

/*
 * ---- Blocks. Block 0 is genesis, 2v + s + 1 is slot s of view v. A chain is the set of a block and its ancestors,
 * 0 where nothing is proposed. A block that is proposed again has the chain of the first proposal: it is the same. ----
 */
#define BLOCK(v, s) (2 * (v) + (s) + 1)
#define BLOCKS (2 * ALL + 1)
short chain[BLOCKS];
short boundary; /* blocks whose header names the next validators */
short base;     /* the chain up to the block that the second epoch builds on; 0: it has not begun */

/* ---- Certificates: a quorum of equal votes was cast. The Byzantine validator has cast every vote there is. ---- */
short notarized = 1; /* blocks */
short nullified;     /* views */
short finalized;     /* blocks */
short tip = 1;       /* the longest chain that is final anywhere */
#ifdef ORDERED
byte current;
#endif

hidden byte s_;
hidden byte i_;
hidden byte k_;
hidden short new_;

#define SAID(v, i, x) ((cast[SEAT(v, i)] & (x)) != 0)
#define IN_EPOCH_1(v) ((v) >= VIEWS)
#define FIRST(v) (IN_EPOCH_1(v) -> VIEWS : 0)
#ifdef BROKEN_bindEpoch
/* A nullify vote without its epoch: that of seats 1 and 2 in the first epoch serves in the second as well. */
#define NULLIFIES(v, i)                                                                                     \
    (SAID(v, i, NULLIFY) || (IN_EPOCH_1(v) && (i) > 0 && (v)-VIEWS < VIEWS && SAID((v)-VIEWS, i, NULLIFY)))
#else
#define NULLIFIES(v, i) SAID(v, i, NULLIFY)
#endif
#define VOTES(v, x) (SAID(v, 0, x) + SAID(v, 1, x) + SAID(v, 2, x) + BYZANTINE)
#define NULLIFICATION(v) (NULLIFIES(v, 0) + NULLIFIES(v, 1) + NULLIFIES(v, 2) + BYZANTINE >= QUORUM)

/* ---- What must hold ---- */
#if defined(MUTANT) || defined(WITNESS)
#define LEMMA_D skip
#else
/* (d) once the second epoch has begun, what becomes final in the first is the block that ended it or an ancestor. */
#define LEMMA_D assert(IN_EPOCH_1(v) || base == 0 || (new_ & base) == new_)
#endif

inline agreement() {
    /* Of any two final blocks one descends from the other; `tip` stands for all that were final before. */
    assert((new_ & tip) == tip || (new_ & tip) == new_);
    LEMMA_D;
    if
    :: (new_ & tip) == tip -> tip = new_
    :: else
    fi
}

#if defined(MUTANT)
#define LEMMAS skip
#elif !defined(WITNESS)
/* (a) one notarization a view; (b) no view both nullified and finalized; (c) what is final was notarized. */
#define LEMMAS                                                                                              \
    assert(!((notarized >> BLOCK(v, 0)) & (notarized >> BLOCK(v, 1)) & 1));                                 \
    assert(!((nullified >> v & 1) && (finalized >> BLOCK(v, 0) & 3)));                                      \
    assert((finalized & notarized) == finalized)
#elif WITNESS == 1 /* two views, two final blocks, one on the other */
#define LEMMAS assert(!(finalized >> BLOCK(0, 0) & 1 && finalized >> BLOCK(1, 0) & 1))
#elif WITNESS == 2 /* a block whose view was nullified is final through its child */
#define LEMMAS assert(!(nullified & 1 && tip >> BLOCK(0, 0) & 1 && tip >> BLOCK(1, 0) & 1))
#elif WITNESS == 3 /* a block final above a view that gave nothing */
#define LEMMAS assert(!(nullified & 1 && tip == (1 | 1 << BLOCK(1, 0))))
#elif WITNESS == 4 /* a boundary block, nullified, final when proposed again; a block of the second epoch final on it */
#define LEMMAS assert(!(nullified & 1 && base == chain[BLOCK(0, 0)] && tip != base && (tip & base) == base))
#endif

#ifdef OUTCOMES /* prints which certificates there are, of which blocks, after every vote in every run */
#define OUTCOME                                                                                             \
    c_code {                                                                                                \
        printf("outcome %d %d %d %d", now.notarized, now.nullified, now.finalized, now.tip);                \
        for (int b = 1; b < BLOCKS; b++)                                                                    \
            if (now.notarized >> b & 1) printf(" %d:%d", b, now.chain[b]);                                  \
        printf("\n");                                                                                       \
    }
#else
#define OUTCOME skip
#endif

/* Recounts view v after a vote was cast. Certificates are never unmade. */
inline count(v) {
    if
    :: NULLIFICATION(v) -> nullified = nullified | (1 << v)
    :: else
    fi;
#ifdef BROKEN_bindEpoch
    /* The votes of v count in the view of the same number of the second epoch. */
    k_ = v + VIEWS;
    if
    :: v < VIEWS && k_ < ALL && NULLIFICATION(k_) -> nullified = nullified | (1 << k_)
    :: else
    fi;
#endif
    s_ = 0;
    do
    :: s_ < 2 ->
        if
        :: VOTES(v, NOTARIZE(s_)) >= QUORUM && chain[BLOCK(v, s_)] != 0 ->
            notarized = notarized | (1 << BLOCK(v, s_))
        :: else
        fi;
        if
        :: VOTES(v, FINALIZE(s_)) >= QUORUM && !(finalized >> BLOCK(v, s_) & 1) && chain[BLOCK(v, s_)] != 0 ->
            finalized = finalized | (1 << BLOCK(v, s_));
            new_ = chain[BLOCK(v, s_)];
            agreement()
        :: else
        fi;
        s_++
    :: else -> break
    od;
    LEMMAS;
    OUTCOME
}

/* ---- Symmetry: no rule reads a validator's record of another view, so a view's seats are told apart by nothing. ---- */
#ifdef CRASH
#define KEY(x) (memory[x] << 16 | durable[x] << 8 | cast[x])
#define SWAP_DURABLE(x, y)                                                                                  \
    k_ = durable[x];                                                                                        \
    durable[x] = durable[y];                                                                                \
    durable[y] = k_
#else
#define KEY(x) (memory[x] << 8 | cast[x])
#define SWAP_DURABLE(x, y) skip
#endif
#define ORDER(x, y)                                                                                         \
    if                                                                                                      \
    :: KEY(x) > KEY(y) ->                                                                                   \
        k_ = memory[x];                                                                                     \
        memory[x] = memory[y];                                                                              \
        memory[y] = k_;                                                                                     \
        k_ = cast[x];                                                                                       \
        cast[x] = cast[y];                                                                                  \
        cast[y] = k_;                                                                                       \
        SWAP_DURABLE(x, y)                                                                                  \
    :: else                                                                                                 \
    fi
inline sort(v) {
#ifndef IDENTITY
    ORDER(SEAT(v, 0), SEAT(v, 1));
    ORDER(SEAT(v, 1), SEAT(v, 2));
    ORDER(SEAT(v, 0), SEAT(v, 1));
#endif
    k_ = 0
}

/* ---- The guards of SafetyRules, by their names there ---- */
#define HAS(v, i, x) ((memory[SEAT(v, i)] & (x)) != 0)
#define requireOpen(v, i) (!HAS(v, i, CLOSED))
#define notarizedAnother(v, i, s) HAS(v, i, NOTARIZE(1 - (s)))
#define finalizedBefore(v, i) HAS(v, i, FINALIZE(0) | FINALIZE(1))
#define nullifiedBefore(v, i) HAS(v, i, NULLIFY)
#define notNotarized(v, s) (!(notarized >> BLOCK(v, s) & 1))
#ifdef BROKEN_viewIsFinal
#undef requireOpen
#define requireOpen(v, i) true
#endif
#ifdef BROKEN_notarizedAnother
#undef notarizedAnother
#define notarizedAnother(v, i, s) false
#endif
#ifdef BROKEN_finalizedBefore
#undef finalizedBefore
#define finalizedBefore(v, i) false
#endif
#ifdef BROKEN_nullifiedBefore
#undef nullifiedBefore
#define nullifiedBefore(v, i) false
#endif
#ifdef BROKEN_notNotarized
#undef notNotarized
#define notNotarized(v, s) false
#endif

/* CertificateBook.lacking: block b may be the parent in view v. Block 0 is what the epoch builds on. */
#define PARENT_VIEW(b) (((b)-1) / 2)
#define BETWEEN(v, low) ((1 << (v)) - (1 << (low)))
#define ALL_NULLIFIED(v, low) ((nullified & BETWEEN(v, low)) == BETWEEN(v, low))
#define NOTARIZED(b) (notarized >> (b)&1)
#ifdef BROKEN_nullifiedBetween
#undef ALL_NULLIFIED
#define ALL_NULLIFIED(v, low) true
#endif
#ifdef BROKEN_parentNotarized
#undef NOTARIZED
#define NOTARIZED(b) true
#endif
#define CHAIN(v, b) ((b) == 0 && IN_EPOCH_1(v) -> base : chain[b])
#define justified(v, b)                                                                                     \
    (CHAIN(v, b) != 0 &&                                                                                    \
     ((b) == 0 -> ALL_NULLIFIED(v, FIRST(v))                                                                \
               : PARENT_VIEW(b) >= FIRST(v) && NOTARIZED(b) && ALL_NULLIFIED(v, PARENT_VIEW(b) + 1)))

/* ---- Steps ---- */
#ifdef ORDERED
#define OPEN(v) ((v) == current && (!IN_EPOCH_1(v) || base != 0))
#else
#define OPEN(v) (!IN_EPOCH_1(v) || base != 0)
#endif

/* The rule permits the statement and files it in the record. */
inline permit(v, i, x) {
    memory[SEAT(v, i)] = memory[SEAT(v, i)] | (x);
#ifndef CRASH
    cast[SEAT(v, i)] = cast[SEAT(v, i)] | (x);
    count(v);
#endif
    sort(v)
}

/* The proposal that gets the first notarize vote is called 0. */
#define SUPPORTS(i) ((memory[SEAT(v, i)] | cast[SEAT(v, i)]) & NOTARIZE(0))
#define SUPPORTED(v) (chain[BLOCK(v, 0)] == 0 || SUPPORTS(0) || SUPPORTS(1) || SUPPORTS(2))
#define FREE(v) (chain[BLOCK(v, 0)] == 0 -> BLOCK(v, 0) : BLOCK(v, 1))
#ifdef BROKEN_epochEnds
#define PROPOSED_AGAIN(b) false
#else
#define PROPOSED_AGAIN(b) (boundary >> (b)&1)
#endif
/* Only a block of the first epoch may end it, and whether it does is settled when it is first proposed. */
#define MAY_END(b, ends) (!(ends) || (!IN_EPOCH_1(v) && !PROPOSED_AGAIN(b)))
#define IS_TWICE(b) (PROPOSED_AGAIN(b) && chain[BLOCK(v, 0)] == chain[b])
/* A proposal on block b. The leader may be the Byzantine one in every view, hence two proposals. On a boundary block
   nothing is proposed but that block. Two proposals of one block in one view are one. */
#define PROPOSE(b, ends)                                                                                    \
    ::d_step {                                                                                              \
        (b) <= 2 * v && OPEN(v) && chain[BLOCK(v, 1)] == 0 && SUPPORTED(v) && MAY_END(b, ends) &&           \
                justified(v, b) && !IS_TWICE(b) ->                                                          \
            k_ = FREE(v);                                                                                   \
        if                                                                                                  \
        :: PROPOSED_AGAIN(b) ->                                                                             \
            chain[k_] = chain[b];                                                                           \
            boundary = boundary | (1 << k_)                                                                 \
        :: else ->                                                                                          \
            chain[k_] = CHAIN(v, b) | (1 << k_);                                                            \
            boundary = boundary | ((ends) << k_)                                                            \
        fi;                                                                                                 \
        k_ = 0                                                                                              \
    }

#define SEAT_VOTES(i, s)                                                                                    \
    ::d_step {                                                                                              \
        OPEN(v) && requireOpen(v, i) && chain[BLOCK(v, s)] != 0 && !HAS(v, i, NOTARIZE(s)) &&               \
                !notarizedAnother(v, i, s) ->                                                               \
            permit(v, i, NOTARIZE(s))                                                                       \
    }                                                                                                       \
    ::d_step {                                                                                              \
        OPEN(v) && requireOpen(v, i) && chain[BLOCK(v, s)] != 0 && !HAS(v, i, FINALIZE(s)) &&               \
                !notNotarized(v, s) && !nullifiedBefore(v, i) ->                                            \
            permit(v, i, FINALIZE(s))                                                                       \
    }

#define SEAT_NULLIFIES(i)                                                                                   \
    ::d_step {                                                                                              \
        OPEN(v) && requireOpen(v, i) && !HAS(v, i, NULLIFY) && !finalizedBefore(v, i) ->                    \
            permit(v, i, NULLIFY)                                                                           \
    }

/* SafetyRules.advance: a finalization of this view or a later one of the epoch was seen, and the record is dropped. */
#define FINAL_FROM(v)                                                                                       \
    (finalized & ((IN_EPOCH_1(v) -> (1 << BLOCKS) : (1 << 2 * VIEWS + 1)) - (1 << BLOCK(v, 0))))
#ifndef ADVANCE
#define SEAT_ADVANCES(i)
#else
#define SEAT_ADVANCES(i)                                                                                    \
    ::d_step {                                                                                              \
        !HAS(v, i, CLOSED) && FINAL_FROM(v) != 0 -> memory[SEAT(v, i)] = CLOSED;                            \
        FORGET_DURABLE(i);                                                                                  \
        sort(v)                                                                                             \
    }
#endif

#ifdef CRASH
#define FORGET_DURABLE(i) durable[SEAT(v, i)] = 0
#ifdef BROKEN_persist
#define MAY_SIGN(i) memory[SEAT(v, i)]
#else
#define MAY_SIGN(i) durable[SEAT(v, i)]
#endif
#define SIGN(i, x)                                                                                          \
    ::d_step {                                                                                              \
        (MAY_SIGN(i) & (x)) && !SAID(v, i, x) -> cast[SEAT(v, i)] = cast[SEAT(v, i)] | (x);                 \
        count(v);                                                                                           \
        sort(v)                                                                                             \
    }
#define SEAT_STORES(i)                                                                                      \
    ::d_step {                                                                                              \
        (memory[SEAT(v, i)] & STATEMENTS) != durable[SEAT(v, i)] ->                                         \
            durable[SEAT(v, i)] = memory[SEAT(v, i)] & STATEMENTS;                                          \
        sort(v)                                                                                             \
    }                                                                                                       \
    ::d_step {                                                                                              \
        (memory[SEAT(v, i)] & STATEMENTS) != durable[SEAT(v, i)] ->                                         \
            memory[SEAT(v, i)] = (memory[SEAT(v, i)] & CLOSED) | durable[SEAT(v, i)];                       \
        sort(v)                                                                                             \
    }                                                                                                       \
    SIGN(i, NOTARIZE(0))                                                                                    \
    SIGN(i, NOTARIZE(1))                                                                                    \
    SIGN(i, NULLIFY)                                                                                        \
    SIGN(i, FINALIZE(0))                                                                                    \
    SIGN(i, FINALIZE(1))
#else
#define FORGET_DURABLE(i) skip
#define SEAT_STORES(i)
#endif

#define HONEST_SEAT(i)                                                                                      \
    SEAT_VOTES(i, 0)                                                                                        \
    SEAT_VOTES(i, 1)                                                                                        \
    SEAT_NULLIFIES(i)                                                                                       \
    SEAT_ADVANCES(i)                                                                                        \
    SEAT_STORES(i)

#ifdef EPOCH
#define PROPOSALS(b)                                                                                        \
    PROPOSE(b, 0)                                                                                           \
    PROPOSE(b, 1)
#else
#define PROPOSALS(b) PROPOSE(b, 0)
#endif

proctype View(byte v) {
    do
    PROPOSALS(0)
#if ALL > 1
    PROPOSALS(1)
    PROPOSALS(2)
#endif
#if ALL > 2
    PROPOSALS(3)
    PROPOSALS(4)
#endif
#if ALL > 3
    PROPOSALS(5)
    PROPOSALS(6)
#endif
#if ALL > 4
    PROPOSALS(7)
    PROPOSALS(8)
#endif
#if ALL > 5
    PROPOSALS(9)
    PROPOSALS(10)
#endif
    HONEST_SEAT(0)
    HONEST_SEAT(1)
    HONEST_SEAT(2)
    od
}

#ifdef EPOCH
/* The second epoch begins under the set in the header of the block that ended the first: only when that is final.
   Seat 0 has been given to a joiner, seats 1 and 2 are the same validators. */
#ifdef BROKEN_epochStart
#define ENDS_EPOCH(b) (notarized >> (b)&1)
#else
#define ENDS_EPOCH(b) ((chain[b] & tip) == chain[b])
#endif
#define BEGIN(b)                                                                                            \
    ::d_step {                                                                                              \
        (b) <= 2 * VIEWS && base == 0 && (boundary >> (b)&1) && ENDS_EPOCH(b) -> base = chain[b]            \
    }
proctype Boundary() {
    do
    BEGIN(1)
    BEGIN(2)
    BEGIN(3)
    BEGIN(4)
    BEGIN(5)
    BEGIN(6)
    BEGIN(7)
    BEGIN(8)
    od
}
#endif

#ifdef ORDERED
/* Nothing in a view depends on later views, so every run can be played view by view. What a view leaves are its
   certificates, and without bindEpoch its nullify votes as well. */
#ifdef BROKEN_bindEpoch
#define LEFT_BEHIND NULLIFY
#else
#define LEFT_BEHIND 0
#endif
proctype Clock() {
    do
    :: d_step {
        current + 1 < ALL -> i_ = 0;
        do
        :: i_ < HONEST ->
            memory[SEAT(current, i_)] = 0;
            cast[SEAT(current, i_)] = cast[SEAT(current, i_)] & LEFT_BEHIND;
#ifdef CRASH
            durable[SEAT(current, i_)] = 0;
#endif
            i_++
        :: else -> break
        od;
        s_ = 0;
        do
        :: s_ < 2 ->
            if
            :: !(notarized >> BLOCK(current, s_) & 1) ->
                chain[BLOCK(current, s_)] = 0;
                boundary = boundary & ~(1 << BLOCK(current, s_))
            :: else
            fi;
            s_++
        :: else -> break
        od;
        i_ = 0;
        s_ = 0;
        current++
    }
    od
}
#endif

init {
    atomic {
        chain[0] = 1;
        i_ = 0;
        do
        :: i_ < ALL ->
            run View(i_);
            i_++
        :: else -> break
        od;
#ifdef EPOCH
        run Boundary();
#endif
#ifdef ORDERED
        run Clock();
#endif
        i_ = 0
    }
}
