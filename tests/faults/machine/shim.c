/* Faults on demand in a process that was started with this before libc (LD_PRELOAD).
 *
 * What is to fail stands in a small file that the test and the process map together (FAULTS_CONTROL),
 * so that a fault comes and goes while the process runs. Only files below FAULTS_BELOW are touched.
 * `shim.py` is the other side: the layout of `struct control` is written down in both.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Kinds of calls, and kinds of files: bits of `calls` and `files`. */
enum { WRITES = 1, SYNCS = 2, TRUNCATES = 4, MAPS = 8, READS = 16, OPENS = 32, MALLOCS = 64 };
enum { DATABASE = 1, WAL = 2, INDEX = 4, OTHER = 8 };

struct control {
    _Atomic int64_t calls;       /* which calls are counted, and fail */
    _Atomic int64_t files;       /* of which files */
    _Atomic int64_t error;       /* with which errno */
    _Atomic int64_t first;       /* the first of them that fails, from 1; 0: none */
    _Atomic int64_t many;        /* how many fail from there on */
    _Atomic int64_t seen;        /* how many were counted */
    _Atomic int64_t failed;      /* how many failed */
    _Atomic int64_t sync_us;     /* how long each sync takes at least */
    _Atomic int64_t clock_s;     /* by how much the wall clock is ahead */
    _Atomic int64_t no_names;    /* names of hosts cannot be looked up */
    _Atomic int64_t torn;        /* a write that fails is begun: half of it is written */
    _Atomic int64_t accept_error; /* errno of each accept; 0: they work */
};

static struct control *control;
static char below[4096];
static size_t below_length;
static uintptr_t sqlite_begin, sqlite_end;

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_CONTROL"), *folder = getenv("FAULTS_BELOW");
    if (!path || !folder) return;
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    below_length = strlen(folder);
    if (mapped == MAP_FAILED || below_length >= sizeof below) return;
    memcpy(below, folder, below_length + 1);
    control = mapped;
}

static int ends(const char *text, size_t length, const char *end) {
    size_t wanted = strlen(end);
    return length >= wanted && memcmp(text + length - wanted, end, wanted) == 0;
}

static int kind_of(const char *path, size_t length) {
    if (length < below_length || memcmp(path, below, below_length) != 0) return 0;
    if (ends(path, length, "-wal")) return WAL;
    if (ends(path, length, "-shm")) return INDEX;
    return ends(path, length, ".db") ? DATABASE : OTHER;
}

/* By descriptor, written down where files are opened: /proc/self/fd is shut to a process that may
 * not be dumped. */
static _Atomic unsigned char kinds[65536];

static int kind_of_file(int file) { return file >= 0 && file < 65536 ? kinds[file] : 0; }

/* Count one call more; its errno if it is to fail, else 0. */
static int counted(void) {
    int64_t number = atomic_fetch_add(&control->seen, 1) + 1, first = control->first;
    if (!first || number < first || number >= first + control->many) return 0;
    atomic_fetch_add(&control->failed, 1);
    return (int)control->error;
}

static int fails(int call, int file) {
    if (!control || !(control->calls & call)) return 0;
    return kind_of_file(file) & control->files ? counted() : 0;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    int error = fails(WRITES, file);
    if (error) {
        if (control->torn) real(file, bytes, count / 2, at);
        errno = error;
        return -1;
    }
    return real(file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return pwrite64(file, bytes, count, at);
}

ssize_t write(int file, const void *bytes, size_t count) {
    REAL(ssize_t, "write", int, const void *, size_t);
    int error = fails(WRITES, file);
    if (error) {
        errno = error;
        return -1;
    }
    return real(file, bytes, count);
}

ssize_t pread64(int file, void *bytes, size_t count, off_t at) {
    REAL(ssize_t, "pread64", int, void *, size_t, off_t);
    int error = fails(READS, file);
    if (error) {
        errno = error;
        return -1;
    }
    return real(file, bytes, count, at);
}

ssize_t pread(int file, void *bytes, size_t count, off_t at) {
    return pread64(file, bytes, count, at);
}

static int slowly(int file) {
    /* In small steps: when it is over, it is over for those that wait, too. */
    for (int64_t waited_us = 0; control && kind_of_file(file) && waited_us < control->sync_us;) {
        int64_t left_us = control->sync_us - waited_us, step_us = left_us < 20000 ? left_us : 20000;
        struct timespec rest = {0, step_us * 1000};
        nanosleep(&rest, NULL);
        waited_us += step_us;
    }
    int error = fails(SYNCS, file);
    if (error) errno = error;
    return error ? -1 : 0;
}

int fsync(int file) {
    REAL(int, "fsync", int);
    return slowly(file) ? -1 : real(file);
}

int fdatasync(int file) {
    REAL(int, "fdatasync", int);
    return slowly(file) ? -1 : real(file);
}

int ftruncate64(int file, off_t length) {
    REAL(int, "ftruncate64", int, off_t);
    int error = fails(TRUNCATES, file);
    if (error) errno = error;
    return error ? -1 : real(file, length);
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

void *mmap64(void *at, size_t length, int rights, int flags, int file, off_t from) {
    REAL(void *, "mmap64", void *, size_t, int, int, int, off_t);
    int error = file < 0 ? 0 : fails(MAPS, file);
    if (error) {
        errno = error;
        return MAP_FAILED;
    }
    return real(at, length, rights, flags, file, from);
}

void *mmap(void *at, size_t length, int rights, int flags, int file, off_t from) {
    return mmap64(at, length, rights, flags, file, from);
}

static int opened(const char *path) {
    if (!control || !(control->calls & OPENS)) return 0;
    return kind_of(path, strlen(path)) & control->files ? counted() : 0;
}

int open64(const char *path, int flags, ...) {
    REAL(int, "open64", const char *, int, ...);
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    int error = opened(path);
    if (error) {
        errno = error;
        return -1;
    }
    int file = real(path, flags, mode);
    if (control && file >= 0 && file < 65536) kinds[file] = kind_of(path, strlen(path));
    return file;
}

int close(int file) {
    REAL(int, "close", int);
    if (file >= 0 && file < 65536) kinds[file] = 0;
    return real(file);
}

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    return open64(path, flags, mode);
}

/* Memory that SQLite asks for: who asks is known by where the call returns to. */

static int is_sqlites(void *caller) {
    if (!control || !(control->calls & MALLOCS)) return 0;
    return (uintptr_t)caller >= sqlite_begin && (uintptr_t)caller < sqlite_end;
}

/* Where SQLite lies, once it is there. */
static void find_sqlite(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[4096];
    uintptr_t from, to, first = 0, last = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        if (!strstr(line, "libsqlite3") || sscanf(line, "%lx-%lx", &from, &to) != 2) continue;
        if (!first) first = from;
        last = to;
    }
    if (maps) fclose(maps);
    sqlite_begin = first;
    sqlite_end = last;
}

void *dlopen(const char *name, int how) {
    REAL(void *, "dlopen", const char *, int);
    void *opened_one = real(name, how);
    if (control && !sqlite_end) find_sqlite();
    return opened_one;
}

extern void *__libc_malloc(size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t size) {
    if (is_sqlites(__builtin_return_address(0)) && counted()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

void *realloc(void *before, size_t size) {
    if (is_sqlites(__builtin_return_address(0)) && counted()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(before, size);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int result = real(which, now);
    if (control && which == CLOCK_REALTIME) now->tv_sec += control->clock_s;
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    REAL(int, "gettimeofday", struct timeval *, void *);
    int result = real(now, zone);
    if (control) now->tv_sec += control->clock_s;
    return result;
}

time_t time(time_t *told) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told) *told = now.tv_sec;
    return now.tv_sec;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    REAL(int, "getaddrinfo", const char *, const char *, const struct addrinfo *,
         struct addrinfo **);
    if (control && control->no_names) return EAI_AGAIN;
    return real(host, service, hints, found);
}

int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
    REAL(int, "accept4", int, struct sockaddr *, socklen_t *, int);
    if (control && control->accept_error) {
        errno = (int)control->accept_error;
        return -1;
    }
    return real(listener, address, length, flags);
}
