"""One search by a set of expressions: its texts and their segments, and what was found in which of them.

Which expressions are tried on what was found is pcre2.pyx.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memcpy

from mxward.bindings.libpcre2 cimport pcre2_match_context, pcre2_match_data
from mxward.pyx.candidates cimport CandScratch, CandSet, cand_found

cdef enum:
    MAX_PAIRS = 4_000_000  # literals found, one of a kind and segment: beyond, every expression is tried


cdef struct Pair:        # a literal was found in a segment
    uint32_t segment
    uint32_t literal


cdef struct Result:
    uint32_t count       # matches, at most the expression's bound
    uint32_t state       # 0 open, 1 settled, 2 gave up
    size_t start, end    # of the first match, in its piece


cdef struct Run:         # one call of match
    const uint8_t* data  # all pieces
    size_t n
    size_t* starts       # of segments, and n behind them
    size_t* origins      # of each segment: where its piece begins
    uint32_t* kinds      # of each segment: the kind of its text
    size_t n_segments
    const uint64_t* uses  # of each literal: the kinds of text that it is looked for in, `words` words of bits
    uint32_t words
    const size_t* cuts   # where segments begin in what is searched: `starts`, or those of the skeleton
    uint32_t* last       # a literal: the segment it was last noted in
    Pair* pairs
    size_t n_pairs, room
    int is_overfull
    size_t hint          # the segment that the last match stood in
    uint32_t column      # 0: literals of the text are searched, 1: of the skeleton
    const CandSet* needs
    CandScratch* scratch  # NULL: every expression is tried
    pcre2_match_data* matched
    pcre2_match_context* windows  # of matches in long texts; NULL before the first
    Result* results
    uint32_t* touched    # expressions that have a result
    size_t n_touched
    uint64_t deadline_ns  # 0: none
    uint32_t n_tries
    bint is_late


cdef inline bint is_alnum(uint8_t byte) noexcept nogil:
    return 48 <= byte <= 57 or 97 <= (byte | 32) <= 122


cdef inline int run_by_segment(const void* left, const void* right) noexcept nogil:
    cdef const Pair* a = <const Pair*>left
    cdef const Pair* b = <const Pair*>right
    if a.segment != b.segment:
        return 1 if a.segment > b.segment else -1
    return (a.literal > b.literal) - (a.literal < b.literal)


cdef inline int run_by_number(const void* left, const void* right) noexcept nogil:
    cdef uint32_t a = (<const uint32_t*>left)[0], b = (<const uint32_t*>right)[0]
    return (a > b) - (a < b)


cdef inline int run_note(void* context, uint32_t number, size_t start, size_t end) noexcept nogil:
    """A literal stands at [start, end): note it once a segment, when it lies in one. Not 0: enough."""
    cdef Run* run = <Run*>context
    cdef size_t low, high, middle
    cdef uint32_t literal = 3 * number + run.column  # core/rules/regex/needed.py numbers them so
    cdef Pair* wider
    if not (run.cuts[run.hint] <= start < run.cuts[run.hint + 1]):
        low, high = 0, run.n_segments
        while high - low > 1:  # the last segment that begins at or before `start`
            middle = low + (high - low) // 2
            if run.cuts[middle] <= start:
                low = middle
            else:
                high = middle
        run.hint = low
    if end > run.cuts[run.hint + 1] or start < run.cuts[run.hint] or run.last[literal] == <uint32_t>run.hint:
        return 0
    run.last[literal] = <uint32_t>run.hint
    low = run.kinds[run.hint]  # below 64 * words: see run_cut
    if not run.uses[<size_t>literal * run.words + low // 64] >> (low % 64) & 1:
        return 0
    if run.n_pairs == run.room:
        wider = NULL
        if run.room < <size_t>MAX_PAIRS:
            wider = <Pair*>realloc(run.pairs, (run.room * 2 + 256) * sizeof(Pair))
        if wider == NULL:
            run.is_overfull = 1
            return 1
        run.pairs, run.room = wider, run.room * 2 + 256
    run.pairs[run.n_pairs] = Pair(<uint32_t>run.hint, literal)
    run.n_pairs += 1
    return 0


cdef inline void run_begun(void* context, uint32_t number) noexcept nogil:
    """A match of an expression of the sieve may begin in the segment at hand."""
    cdef Run* run = <Run*>context
    cand_found(run.needs, run.scratch, 3 * number + 2)


cdef inline void run_strip(const Run* run, const uint8_t* stripped, uint8_t* skeleton, size_t* cuts) noexcept nogil:
    """ASCII letters and digits of the texts that are searched so, at most run.n bytes, and where segments begin."""
    cdef size_t segment, at, n = 0
    for segment in range(run.n_segments):
        cuts[segment] = n
        if not stripped[run.kinds[segment]]:
            continue
        for at in range(run.starts[segment], run.starts[segment + 1]):
            skeleton[n] = run.data[at]  # n <= at < run.n
            n += is_alnum(run.data[at])
    cuts[run.n_segments] = n


cdef inline int run_cut(Run* run, list pieces, uint32_t n_kinds, uint8_t* buffer) except -1:
    """Join the pieces, whose kinds are below n_kinds, and note their segments; the arrays have room for all."""
    cdef size_t base = 0, n = 0, size, before, at
    cdef const char* text
    for kind, data, starts in pieces:
        if not 0 <= kind < n_kinds:
            raise ValueError("no expression is applied to such a text")
        text, size = PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data)
        if buffer != NULL:
            memcpy(buffer + base, text, size)
        else:
            run.data = <const uint8_t*>text
        before = 0
        for start in (0,) if starts is None else starts:
            at = start
            if at > size or at < before:
                raise ValueError("segments begin in the text and in order")
            run.starts[n], run.origins[n], run.kinds[n] = base + at, base, kind
            before = at
            n += 1
        base += size
    run.starts[n], run.n_segments, run.n = base, n, base
    return 0
