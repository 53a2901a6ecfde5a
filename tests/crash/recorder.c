/* Records what a process does to the files under one folder, in the order in which it happens.
 *
 * Loaded with LD_PRELOAD. RECORD_ROOT is the folder, RECORD_LOG the file that takes the record.
 * One mutex is held over each recorded call, so the order of the record is the order of the calls
 * whatever the threads do. A record is written before a call that may be seen outside (output, words
 * to another machine) and after a call that succeeded (all others); `recording.py` reads the format.
 * System calls are made directly: nothing here depends on what the functions are called in libc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define FD_MAX 4096
#define LOG_FD 4000

struct __attribute__((packed)) head {
    char kind;
    int32_t fd;
    int64_t number;
    uint32_t size;
};

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static size_t root_size;
static int log_fd = -1;
static char is_watched[FD_MAX];
static char is_outside[FD_MAX] = {[STDOUT_FILENO] = 1};

static void complain(void) {
    static const char words[] = "recorder: cannot write the record\n";
    syscall(SYS_write, 2, words, sizeof words - 1);
    syscall(SYS_exit_group, 97);
}

static void note(char kind, int fd, int64_t number, const void *data, size_t size) {
    struct head head = {kind, fd, number, (uint32_t)size};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, size}};
    if (log_fd < 0)
        return;
    if (syscall(SYS_writev, log_fd, parts, 2) != (long)(sizeof head + size))
        complain();
}

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("RECORD_LOG");
    root = getenv("RECORD_ROOT");
    if (!log || !root)
        return;
    root_size = strlen(root);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT, 0600);
    log_fd = fd < 0 ? -1 : (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, LOG_FD);
    if (log_fd < 0)
        complain();
    syscall(SYS_close, fd);
}

static int is_ours(const char *path) {
    return log_fd >= 0 && path && strncmp(path, root, root_size) == 0 &&
           (path[root_size] == '/' || path[root_size] == '\0');
}

static int watched(int fd) { return fd >= 0 && fd < FD_MAX && is_watched[fd]; }

static int do_open(int folder, const char *path, int flags, mode_t mode) {
    if (!is_ours(path))
        return (int)syscall(SYS_openat, folder, path, flags, mode);
    pthread_mutex_lock(&one_at_a_time);
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    int kept = errno;
    if (fd >= 0 && fd < FD_MAX) {
        is_watched[fd] = 1;
        note('o', fd, flags & (O_CREAT | O_TRUNC), path, strlen(path));
    }
    pthread_mutex_unlock(&one_at_a_time);
    errno = kept;
    return fd;
}

static mode_t mode_of(int flags, va_list rest) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                                                                 \
    EXPORT int name(const char *path, int flags, ...) {                                            \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = mode_of(flags, rest);                                                        \
        va_end(rest);                                                                              \
        return do_open(AT_FDCWD, path, flags, mode);                                               \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    EXPORT int name(int folder, const char *path, int flags, ...) {                                \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = mode_of(flags, rest);                                                        \
        va_end(rest);                                                                              \
        return do_open(folder, path, flags, mode);                                                 \
    }
OPENAT(openat)
OPENAT(openat64)

EXPORT int close(int fd) {
    if (fd == log_fd) /* a program that closes everything at its start */
        return 0;
    pthread_mutex_lock(&one_at_a_time);
    if (fd >= 0 && fd < FD_MAX && fd != STDOUT_FILENO)
        is_outside[fd] = 0;
    if (watched(fd)) {
        is_watched[fd] = 0;
        note('c', fd, 0, NULL, 0);
    }
    int done = (int)syscall(SYS_close, fd);
    int kept = errno;
    pthread_mutex_unlock(&one_at_a_time);
    errno = kept;
    return done;
}

static ssize_t do_pwrite(int fd, const void *data, size_t size, int64_t offset) {
    if (!watched(fd))
        return syscall(SYS_pwrite64, fd, data, size, offset);
    pthread_mutex_lock(&one_at_a_time);
    ssize_t done = syscall(SYS_pwrite64, fd, data, size, offset);
    int kept = errno;
    if (done > 0)
        note('w', fd, offset, data, (size_t)done);
    pthread_mutex_unlock(&one_at_a_time);
    errno = kept;
    return done;
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    return do_pwrite(fd, data, size, offset);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    return do_pwrite(fd, data, size, offset);
}

EXPORT ssize_t write(int fd, const void *data, size_t size) {
    int outside = fd >= 0 && fd < FD_MAX && is_outside[fd];
    if (!outside && !watched(fd))
        return syscall(SYS_write, fd, data, size);
    pthread_mutex_lock(&one_at_a_time);
    if (fd == STDOUT_FILENO)
        note('p', fd, 0, data, size);
    else if (outside)
        note('n', fd, 0, NULL, 0);
    ssize_t done = syscall(SYS_write, fd, data, size);
    int kept = errno;
    if (!outside && done > 0) /* where it ended tells where it began, O_APPEND too */
        note('w', fd, syscall(SYS_lseek, fd, 0, SEEK_CUR) - done, data, (size_t)done);
    pthread_mutex_unlock(&one_at_a_time);
    errno = kept;
    return done;
}

static int noted(int fd, char kind, int64_t number, long call, long second) {
    if (!watched(fd))
        return (int)syscall(call, fd, second);
    pthread_mutex_lock(&one_at_a_time);
    int done = (int)syscall(call, fd, second);
    int kept = errno;
    if (done == 0)
        note(kind, fd, number, NULL, 0);
    pthread_mutex_unlock(&one_at_a_time);
    errno = kept;
    return done;
}

EXPORT int ftruncate(int fd, off_t size) { return noted(fd, 't', size, SYS_ftruncate, size); }
EXPORT int ftruncate64(int fd, off64_t size) { return noted(fd, 't', size, SYS_ftruncate, size); }
EXPORT int fsync(int fd) { return noted(fd, 's', 0, SYS_fsync, 0); }
EXPORT int fdatasync(int fd) { return noted(fd, 's', 0, SYS_fdatasync, 0); }

/* Both names in one record, a NUL between. */
static int named(char kind, const char *first, const char *second, long done) {
    char both[2 * PATH_MAX];
    size_t size = strlen(first) + 1;
    if (done == 0) {
        strcpy(both, first);
        strcpy(both + size, second);
        note(kind, -1, 0, both, size + strlen(second));
    }
    return (int)done;
}

#define NAMED(kind, ours, first, second, ...)                                                      \
    pthread_mutex_lock(&one_at_a_time);                                                            \
    long done = syscall(__VA_ARGS__);                                                              \
    int kept = errno;                                                                              \
    if (ours)                                                                                      \
        named(kind, first, second, done);                                                          \
    pthread_mutex_unlock(&one_at_a_time);                                                          \
    errno = kept;                                                                                  \
    return (int)done;

EXPORT int rename(const char *from, const char *to) {
    NAMED('r', is_ours(to), from, to, SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)
}
EXPORT int link(const char *from, const char *to) {
    NAMED('l', is_ours(to), from, to, SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0)
}
EXPORT int linkat(int a, const char *from, int b, const char *to, int flags) {
    NAMED('l', is_ours(to), from, to, SYS_linkat, a, from, b, to, flags)
}
EXPORT int unlink(const char *path) {
    NAMED('u', is_ours(path), path, "", SYS_unlinkat, AT_FDCWD, path, 0)
}

/* Words to another machine: what it then knows cannot be taken back. */
EXPORT int connect(int fd, const struct sockaddr *address, socklen_t size) {
    if (log_fd >= 0 && address->sa_family == AF_INET && fd >= 0 && fd < FD_MAX)
        is_outside[fd] = 1;
    return (int)syscall(SYS_connect, fd, address, size);
}
