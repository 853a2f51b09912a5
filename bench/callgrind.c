/* One measured call for callgrind: instrumentation is on only while `function` runs, and each call is a dump of its
 * own, named by `name`. Loaded with ctypes.PyDLL, so the GIL is held. Outside Valgrind the requests do nothing. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <valgrind/callgrind.h>

PyObject *mxward_bench_measure(PyObject *function, const char *name)
{
    PyObject *result;

    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    result = PyObject_CallNoArgs(function);
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION;
    return result;
}
