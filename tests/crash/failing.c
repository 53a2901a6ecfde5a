/* Lets calls on the files of one folder fail, as a plan says that may change while the program runs.
 *
 * Loaded with LD_PRELOAD. FAIL_ROOT is the folder. FAIL_PLAN is a file with one line, read again
 * before each call: `KIND NAME SKIP TIMES ERRNO`. Of the calls of this kind on files with this name
 * (`*` for all), SKIP more go well, then TIMES (-1 for all) fail. No file, no failures; another
 * line, counting begins anew. Kinds: r(ead), w(rite), g (a write that makes a file longer), s(ync),
 * o(pen). System calls are made directly, as in `recorder.c`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define FD_MAX 4096
#define NAME_MAX_KEPT 64

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *plan;
static size_t root_size;
static char names[FD_MAX][NAME_MAX_KEPT];
static char line[256];
static long counted;

__attribute__((constructor)) static void begin(void) {
    root = getenv("FAIL_ROOT");
    plan = getenv("FAIL_PLAN");
    root_size = root ? strlen(root) : 0;
}

static void read_plan(void) {
    char now[sizeof line] = "";
    int fd = (int)syscall(SYS_openat, AT_FDCWD, plan, O_RDONLY, 0);
    if (fd >= 0) {
        long size = syscall(SYS_read, fd, now, sizeof now - 1);
        now[size > 0 ? size : 0] = 0;
        syscall(SYS_close, fd);
    }
    if (strcmp(now, line) != 0) {
        strcpy(line, now);
        counted = 0;
    }
}

/* 0, or the error that this call has to end with. */
static int fate(char kind, const char *name) {
    char wanted = 0, of[NAME_MAX_KEPT] = "";
    long skip = 0, times = 0;
    int error = 0;
    if (!plan || !*name)
        return 0;
    pthread_mutex_lock(&one_at_a_time);
    read_plan();
    if (sscanf(line, "%c %63s %ld %ld %d", &wanted, of, &skip, &times, &error) != 5 ||
        wanted != kind || (strcmp(of, "*") != 0 && strcmp(of, name) != 0) ||
        counted++ < skip || (times >= 0 && counted > skip + times))
        error = 0;
    pthread_mutex_unlock(&one_at_a_time);
    return error;
}

static const char *name_of(int fd) { return fd >= 0 && fd < FD_MAX ? names[fd] : ""; }

#define FAIL_AS(kind, name)                                                                        \
    int error = fate(kind, name);                                                                  \
    if (error) {                                                                                   \
        errno = error;                                                                             \
        return -1;                                                                                 \
    }

static int do_open(int folder, const char *path, int flags, mode_t mode) {
    int is_ours = root && path && strncmp(path, root, root_size) == 0 && path[root_size] == '/';
    const char *slash = is_ours ? strrchr(path, '/') : NULL;
    if (slash) {
        FAIL_AS('o', slash + 1)
    }
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (fd >= 0 && fd < FD_MAX)
        snprintf(names[fd], NAME_MAX_KEPT, "%s", slash ? slash + 1 : "");
    return fd;
}

#define OPEN(name, first, folder)                                                                  \
    EXPORT int name(first const char *path, int flags, ...) {                                      \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                    \
        va_end(rest);                                                                              \
        return do_open(folder, path, flags, mode);                                                 \
    }
#define NOTHING
#define FOLDER int at,
OPEN(open, NOTHING, AT_FDCWD)
OPEN(open64, NOTHING, AT_FDCWD)
OPEN(openat, FOLDER, at)
OPEN(openat64, FOLDER, at)

EXPORT int close(int fd) {
    if (fd >= 0 && fd < FD_MAX)
        names[fd][0] = 0;
    return (int)syscall(SYS_close, fd);
}

static int is_longer(int fd, int64_t end) {
    struct stat now;
    return *name_of(fd) && fstat(fd, &now) == 0 && end > now.st_size;
}

static ssize_t do_pwrite(int fd, const void *data, size_t size, int64_t at) {
    FAIL_AS('w', name_of(fd))
    if (is_longer(fd, at + (int64_t)size)) {
        FAIL_AS('g', name_of(fd))
    }
    return syscall(SYS_pwrite64, fd, data, size, at);
}
EXPORT ssize_t pwrite(int fd, const void *d, size_t n, off_t at) { return do_pwrite(fd, d, n, at); }
EXPORT ssize_t pwrite64(int fd, const void *d, size_t n, off64_t at) {
    return do_pwrite(fd, d, n, at);
}

EXPORT ssize_t write(int fd, const void *data, size_t size) {
    FAIL_AS('w', name_of(fd))
    if (*name_of(fd) && is_longer(fd, syscall(SYS_lseek, fd, 0, SEEK_CUR) + (int64_t)size)) {
        FAIL_AS('g', name_of(fd))
    }
    return syscall(SYS_write, fd, data, size);
}

EXPORT ssize_t read(int fd, void *data, size_t size) {
    FAIL_AS('r', name_of(fd))
    return syscall(SYS_read, fd, data, size);
}
EXPORT ssize_t pread(int fd, void *data, size_t size, off_t at) {
    FAIL_AS('r', name_of(fd))
    return syscall(SYS_pread64, fd, data, size, at);
}
EXPORT ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
    FAIL_AS('r', name_of(fd))
    return syscall(SYS_pread64, fd, data, size, at);
}

static int do_truncate(int fd, int64_t size) {
    if (is_longer(fd, size)) {
        FAIL_AS('g', name_of(fd))
    }
    return (int)syscall(SYS_ftruncate, fd, size);
}
EXPORT int ftruncate(int fd, off_t size) { return do_truncate(fd, size); }
EXPORT int ftruncate64(int fd, off64_t size) { return do_truncate(fd, size); }

EXPORT int fsync(int fd) {
    FAIL_AS('s', name_of(fd))
    return (int)syscall(SYS_fsync, fd);
}
EXPORT int fdatasync(int fd) {
    FAIL_AS('s', name_of(fd))
    return (int)syscall(SYS_fdatasync, fd);
}
