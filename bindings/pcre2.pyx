"""Sets of Perl regular expressions by PCRE2 (JIT), each tried only where the literals that it needs were found.

Expressions and texts are bytes; UTF mode is off. Every match runs under limits, so no expression can stall a scan; what
gives up is named. Which literals an expression needs is core/rules/regex, the searches are pyx/literals and
pyx/candidates. Not here: what a match means.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memset

from mxward.pyx.candidates cimport Candidates, CandScratch, cand_found, cand_run
from mxward.pyx.literals cimport LIT_CALL, Literals, LitScan
from mxward.pyx.sieve cimport Sieve

cdef extern from "time.h" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int CLOCK_MONOTONIC
    int clock_gettime(int clock, timespec* at)

cdef extern from *:
    """
    #define PCRE2_CODE_UNIT_WIDTH 8
    #include <pcre2.h>
    """
    ctypedef struct pcre2_code
    ctypedef struct pcre2_match_data
    ctypedef struct pcre2_match_context
    ctypedef struct pcre2_compile_context
    ctypedef struct pcre2_general_context
    ctypedef struct pcre2_jit_stack
    uint32_t PCRE2_CASELESS, PCRE2_MULTILINE, PCRE2_DOTALL, PCRE2_EXTENDED, PCRE2_NEVER_UTF, PCRE2_NEVER_BACKSLASH_C
    uint32_t PCRE2_JIT_COMPLETE, PCRE2_NO_JIT, PCRE2_NOTEMPTY_ATSTART, PCRE2_CONFIG_VERSION
    int PCRE2_ERROR_NOMATCH, PCRE2_ERROR_JIT_STACKLIMIT
    pcre2_compile_context* pcre2_compile_context_create(pcre2_general_context*) nogil
    void pcre2_compile_context_free(pcre2_compile_context*) nogil
    int pcre2_set_max_pattern_length(pcre2_compile_context*, size_t) nogil
    int pcre2_set_parens_nest_limit(pcre2_compile_context*, uint32_t) nogil
    pcre2_code* pcre2_compile(
        const uint8_t*, size_t, uint32_t, int*, size_t*, pcre2_compile_context*) nogil
    void pcre2_code_free(pcre2_code*) nogil
    int pcre2_jit_compile(pcre2_code*, uint32_t) nogil
    pcre2_match_data* pcre2_match_data_create(uint32_t, pcre2_general_context*) nogil
    void pcre2_match_data_free(pcre2_match_data*) nogil
    size_t* pcre2_get_ovector_pointer(pcre2_match_data*) nogil
    uint32_t pcre2_get_ovector_count(pcre2_match_data*) nogil
    pcre2_match_context* pcre2_match_context_create(pcre2_general_context*) nogil
    void pcre2_match_context_free(pcre2_match_context*) nogil
    int pcre2_set_match_limit(pcre2_match_context*, uint32_t) nogil
    int pcre2_set_depth_limit(pcre2_match_context*, uint32_t) nogil
    int pcre2_set_heap_limit(pcre2_match_context*, uint32_t) nogil
    int pcre2_match(
        const pcre2_code*, const uint8_t*, size_t, size_t, uint32_t, pcre2_match_data*, pcre2_match_context*) nogil
    int pcre2_get_error_message(int, uint8_t*, size_t) nogil
    int pcre2_config(uint32_t, void*) nogil

MAX_PATTERN = 16_384    # bytes of an expression; the longest of SpamAssassin has 7,000
MATCH_LIMIT = 100_000   # backtracking steps of one try at one text
_HEAP_LIMIT_KB = 4096    # of one match that the JIT's stack did not suffice for
_MAX_PAIRS = 4_000_000   # literals found, one of a kind and segment: beyond, every expression is tried
_NEST = 200              # parentheses in parentheses
cdef size_t MAX_PAIRS_C = _MAX_PAIRS

cdef enum:
    UNSEEN = 0xFFFFFFFFu


cdef uint8_t[256] IS_ALNUM
for _byte in range(256):
    IS_ALNUM[_byte] = _byte < 128 and chr(_byte).isalnum()


cdef struct Pair:        # a literal was found in a segment
    uint32_t segment
    uint32_t literal


cdef struct Result:
    uint32_t count       # matches, at most the expression's bound
    uint32_t state       # 0 open, 1 settled, 2 gave up
    size_t start, end    # of the first match


cdef struct Run:         # one call of match
    const uint8_t* data
    size_t n
    const size_t* starts  # of segments, and n behind them
    size_t n_segments
    uint32_t* last       # a literal: the segment it was last noted in
    Pair* pairs
    size_t n_pairs, room
    int is_overfull
    size_t hint          # the segment that the last match stood in
    uint32_t column      # 0: literals of the text are searched, 1: of the skeleton, 2: the sieve is run
    Result* results
    uint32_t* touched    # expressions that have a result
    size_t n_touched
    uint64_t deadline_ns  # 0: none
    uint32_t n_tries
    bint is_late


class PatternError(ValueError):
    """An expression does not compile. `number`: which; `offset`: where, in bytes."""

    def __init__(self, number, offset, reason):
        self.number, self.offset = number, offset
        super().__init__(reason)


def version():
    """PCRE2's version, such as "10.42 2022-12-11"."""
    cdef char[64] text
    pcre2_config(PCRE2_CONFIG_VERSION, text)
    return (<bytes>text).decode("ascii")


cdef uint32_t _options(str flags) except? 0xFFFFFFFF:
    cdef uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C
    for flag in flags:
        if flag == "i":
            options |= PCRE2_CASELESS
        elif flag == "m":
            options |= PCRE2_MULTILINE
        elif flag == "s":
            options |= PCRE2_DOTALL
        elif flag == "x":
            options |= PCRE2_EXTENDED
        else:
            raise ValueError(f"unknown flag {flag!r}")
    return options


cdef uint64_t _now_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <uint64_t>now.tv_sec * 1_000_000_000 + <uint64_t>now.tv_nsec


cdef int _by_segment(const void* left, const void* right) noexcept nogil:
    cdef const Pair* a = <const Pair*>left
    cdef const Pair* b = <const Pair*>right
    if a.segment != b.segment:
        return 1 if a.segment > b.segment else -1
    return (a.literal > b.literal) - (a.literal < b.literal)


cdef int _by_number(const void* left, const void* right) noexcept nogil:
    cdef uint32_t a = (<const uint32_t*>left)[0], b = (<const uint32_t*>right)[0]
    return (a > b) - (a < b)


cdef int _note(void* context, uint32_t number, size_t start, size_t end) noexcept nogil:
    """A literal stands at [start, end): note it once a segment, when it lies in one. Not 0: enough."""
    cdef Run* run = <Run*>context
    cdef size_t low, high, middle
    cdef uint32_t literal = 3 * number + run.column  # core/rules/regex/needed.py numbers them so
    cdef Pair* wider
    if not (run.starts[run.hint] <= start < run.starts[run.hint + 1]):
        low, high = 0, run.n_segments
        while high - low > 1:  # the last segment that begins at or before `start`
            middle = low + (high - low) // 2
            if run.starts[middle] <= start:
                low = middle
            else:
                high = middle
        run.hint = low
    if end > run.starts[run.hint + 1] or start < run.starts[run.hint] or run.last[literal] == <uint32_t>run.hint:
        return 0
    if run.n_pairs == run.room:
        wider = NULL
        if run.room < <size_t>MAX_PAIRS_C:
            wider = <Pair*>realloc(run.pairs, (run.room * 2 + 256) * sizeof(Pair))
        if wider == NULL:
            run.is_overfull = 1
            return 1
        run.pairs, run.room = wider, run.room * 2 + 256
    run.last[literal] = <uint32_t>run.hint
    run.pairs[run.n_pairs] = Pair(<uint32_t>run.hint, literal)
    run.n_pairs += 1
    return 0


cdef void _pass(void* context, uint32_t number) noexcept nogil:
    """The sieve lets an expression pass in the segment that `hint` tells."""
    cdef Run* run = <Run*>context
    _note(context, number, run.starts[run.hint], run.starts[run.hint])


cdef void _strip(const Run* run, uint8_t* skeleton, size_t* cuts) noexcept nogil:
    """ASCII letters and digits of the text, at most run.n bytes, and where segments begin among them."""
    cdef size_t segment, at, n = 0
    for segment in range(run.n_segments):
        cuts[segment] = n
        for at in range(run.starts[segment], run.starts[segment + 1]):
            skeleton[n] = run.data[at]  # n <= at < run.n
            n += IS_ALNUM[run.data[at]]
    cuts[run.n_segments] = n


cdef class Patterns:
    """See pcre2.pyi. Nothing changes after __init__."""

    cdef pcre2_code** _codes
    cdef uint32_t* _bounds     # matches that are counted of each
    cdef uint32_t _n
    cdef pcre2_match_context* _context
    cdef Literals _literals
    cdef Literals _skeletons
    cdef Sieve _sieve
    cdef Candidates _candidates
    cdef uint32_t* _always     # expressions that no literal tells about
    cdef uint32_t _n_always

    def __cinit__(self):
        self._codes = NULL
        self._bounds = NULL
        self._context = NULL
        self._always = NULL
        self._n = 0

    def __init__(self, patterns, Literals literals=None, Literals skeletons=None, Sieve sieve=None,
                 Candidates candidates=None):
        cdef pcre2_compile_context* limits
        if self._codes != NULL:
            raise ValueError("a set is made once")
        patterns = list(patterns)
        self._codes = <pcre2_code**>calloc(len(patterns) + 1, sizeof(pcre2_code*))
        self._bounds = <uint32_t*>calloc(len(patterns) + 1, sizeof(uint32_t))
        self._always = <uint32_t*>calloc(len(patterns) + 1, sizeof(uint32_t))
        self._context = pcre2_match_context_create(NULL)
        limits = pcre2_compile_context_create(NULL)
        try:
            if NULL in (self._codes, self._bounds, self._always) or self._context == NULL or limits == NULL:
                raise MemoryError()
            pcre2_set_match_limit(self._context, MATCH_LIMIT)
            pcre2_set_depth_limit(self._context, MATCH_LIMIT)
            pcre2_set_heap_limit(self._context, _HEAP_LIMIT_KB)
            pcre2_set_max_pattern_length(limits, MAX_PATTERN)
            pcre2_set_parens_nest_limit(limits, _NEST)
            for number, (pattern, flags, bound) in enumerate(patterns):
                self._add(number, pattern, flags, bound, limits)
        finally:
            pcre2_compile_context_free(limits)
        self._filter(literals, skeletons, sieve, candidates)

    cdef int _add(self, uint32_t number, bytes pattern, str flags, uint32_t bound,
                  pcre2_compile_context* limits) except -1:
        cdef int error = 0
        cdef size_t offset = 0
        cdef uint8_t[256] text
        cdef uint32_t options = _options(flags)
        self._codes[number] = pcre2_compile(
            <const uint8_t*>PyBytes_AS_STRING(pattern), <size_t>PyBytes_GET_SIZE(pattern), options, &error, &offset,
            limits)
        if self._codes[number] == NULL:
            pcre2_get_error_message(error, text, sizeof(text))
            raise PatternError(number, offset, (<bytes><const char*>text).decode("ascii", "replace"))
        # without JIT (not built in, or too large an expression) the same match runs interpreted
        pcre2_jit_compile(self._codes[number], PCRE2_JIT_COMPLETE)
        self._bounds[number] = bound if bound > 0 else 1
        self._n = number + 1
        return 0

    cdef int _filter(self, Literals literals, Literals skeletons, Sieve sieve, Candidates candidates) except -1:
        cdef uint32_t i
        given = [part is not None for part in (literals, skeletons, sieve, candidates)]
        if any(given) and (not all(given) or candidates.n != self._n):
            raise ValueError("literals and needs belong together, one need an expression")
        self._literals, self._skeletons, self._sieve, self._candidates = literals, skeletons, sieve, candidates
        numbers = range(self._n) if candidates is None else candidates.always
        for i, number in enumerate(numbers):
            self._always[i] = number
        self._n_always = <uint32_t>len(numbers)
        return 0

    def __dealloc__(self):
        cdef uint32_t i
        if self._codes != NULL:
            for i in range(self._n):
                pcre2_code_free(self._codes[i])
        free(self._codes)
        free(self._bounds)
        free(self._always)
        pcre2_match_context_free(self._context)

    @property
    def n(self):
        return self._n

    def match(self, bytes data not None, starts=None, uint64_t budget_us=0):
        """What matches, and what gave up. See pcre2.pyi."""
        cdef Run run
        cdef size_t n_starts = 1 if starts is None else len(starts), i, n_leaves = 0
        cdef size_t* cuts
        cdef CandScratch* scratch = NULL
        cdef pcre2_match_data* matched
        memset(&run, 0, sizeof(run))
        if self._n == 0 or n_starts == 0:
            return [], []
        cuts = <size_t*>malloc((n_starts + 1) * sizeof(size_t))
        matched = pcre2_match_data_create(1, NULL)
        run.results = <Result*>calloc(self._n, sizeof(Result))
        run.touched = <uint32_t*>malloc(self._n * sizeof(uint32_t))
        if self._literals is not None:
            n_leaves = 3 * max(self._literals.n, self._skeletons.n, self._sieve.n) + 3
            run.last = <uint32_t*>malloc(n_leaves * sizeof(uint32_t))
        try:
            if cuts == NULL or matched == NULL or run.results == NULL or run.touched == NULL:
                raise MemoryError()
            run.data, run.n = <const uint8_t*>PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data)
            run.starts, run.n_segments = cuts, n_starts
            cuts[0] = 0
            for i in range(n_starts):
                cuts[i] = 0 if starts is None else starts[i]
                if cuts[i] > run.n or (i and cuts[i] < cuts[i - 1]):
                    raise ValueError("segments begin in the text and in order")
            cuts[n_starts] = run.n
            if self._literals is not None:
                if run.last == NULL:
                    raise MemoryError()
                memset(run.last, 0xFF, n_leaves * sizeof(uint32_t))
                scratch = self._candidates.take()
            with nogil:
                run.deadline_ns = _now_ns() + budget_us * 1000 if budget_us else 0
                self._run(&run, scratch, matched)
            return self._report(&run)
        finally:
            if scratch != NULL:
                self._candidates.give(scratch)
            pcre2_match_data_free(matched)
            free(cuts)
            free(run.results)
            free(run.touched)
            free(run.last)
            free(run.pairs)

    cdef void _run(self, Run* run, CandScratch* scratch, pcre2_match_data* matched) noexcept nogil:
        cdef size_t segment, at = 0
        cdef uint32_t i
        if scratch != NULL:
            self._search(run)
            if run.is_overfull:
                scratch = NULL
        for segment in range(run.n_segments):
            if scratch != NULL:
                scratch.n_touched, scratch.n_fired, scratch.n_needs = 0, 0, 0
                while at < run.n_pairs and run.pairs[at].segment == <uint32_t>segment:
                    cand_found(&self._candidates._set, scratch, run.pairs[at].literal)
                    at += 1
                if scratch.n_fired:
                    cand_run(&self._candidates._set, scratch, 0)
                for i in range(<uint32_t>scratch.n_needs):
                    self._try(run, scratch.needs[i], segment, matched)
                for i in range(self._n_always):
                    self._try(run, self._always[i], segment, matched)
            else:
                for i in range(self._n):
                    self._try(run, i, segment, matched)

    cdef void _search(self, Run* run) noexcept nogil:
        """Find the literals of the text and of its skeleton; leave them by segment."""
        cdef const size_t* starts = run.starts
        cdef size_t* cuts
        cdef uint8_t* skeleton
        self._search_in(run, self._literals, run.data, run.n)
        if self._skeletons.head.n:
            skeleton = <uint8_t*>malloc(run.n + 1)
            cuts = <size_t*>malloc((run.n_segments + 1) * sizeof(size_t))
            if skeleton == NULL or cuts == NULL:
                run.is_overfull = True
            else:
                _strip(run, skeleton, cuts)
                run.starts, run.hint, run.column = cuts, 0, 1
                self._search_in(run, self._skeletons, skeleton, cuts[run.n_segments])
                run.starts = starts
            free(skeleton)
            free(cuts)
        if self._sieve.head.n:
            self._sift(run)
        if run.n_pairs > 1 and not run.is_overfull:
            qsort(run.pairs, run.n_pairs, sizeof(Pair), _by_segment)

    cdef void _sift(self, Run* run) noexcept nogil:
        """Note what the sieve lets pass, segment by segment."""
        cdef size_t segment
        run.column = 2
        for segment in range(run.n_segments):
            if run.starts[segment] < run.starts[segment + 1]:
                run.hint = segment
                self._sieve.scan(
                    run.data + run.starts[segment], run.starts[segment + 1] - run.starts[segment], _pass, run)

    cdef void _search_in(self, Run* run, Literals literals, const uint8_t* text, size_t n) noexcept nogil:
        cdef LitScan scan
        memset(&scan, 0, sizeof(scan))
        scan.mode, scan.text, scan.n = LIT_CALL, text, n
        scan.call, scan.context = _note, run
        literals.run(&scan)

    cdef void _try(self, Run* run, uint32_t number, size_t segment, pcre2_match_data* matched) noexcept nogil:
        """Match one expression in one segment, as often as its bound has room for."""
        cdef Result* result = &run.results[number]
        cdef const uint8_t* text = run.data + run.starts[segment]
        cdef size_t size = run.starts[segment + 1] - run.starts[segment], at = 0
        cdef size_t* place = pcre2_get_ovector_pointer(matched)
        cdef int found
        while result.state == 0 and at <= size:
            run.n_tries += 1
            if run.n_tries % 16 == 0 and run.deadline_ns and _now_ns() > run.deadline_ns:
                run.is_late = True
            if run.is_late:
                found = PCRE2_ERROR_NOMATCH - 1  # any error: it gave up
            else:
                found = pcre2_match(self._codes[number], text, size, at, 0, matched, self._context)
                if found == PCRE2_ERROR_JIT_STACKLIMIT:
                    found = pcre2_match(self._codes[number], text, size, at, PCRE2_NO_JIT, matched, self._context)
            if found == PCRE2_ERROR_NOMATCH:
                return
            if result.count == 0:
                run.touched[run.n_touched] = number
                run.n_touched += 1
            if found < 0:
                if result.count:  # it did match before: what is not known is how often
                    result.state = 1
                else:
                    result.state = 2
                    result.count = 1
                return
            if result.count == 0:
                result.start, result.end = run.starts[segment] + place[0], run.starts[segment] + place[1]
            result.count += 1
            if result.count >= self._bounds[number]:
                result.state = 1
            at = place[1] if place[1] > at and place[1] > place[0] else place[1] + 1

    cdef object _report(self, Run* run):
        cdef size_t i
        cdef uint32_t number
        cdef Result* result
        cdef list matches = [], exhausted = []
        if run.n_touched > 1:
            qsort(run.touched, run.n_touched, sizeof(uint32_t), _by_number)
        for i in range(run.n_touched):
            number = run.touched[i]
            result = &run.results[number]
            if result.state == 2:
                exhausted.append(number)
            else:
                matches.append((number, result.count, result.start, result.end))
        return matches, exhausted
