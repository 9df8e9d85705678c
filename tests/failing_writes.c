/* Makes the n-th write to a file under FAIL_UNDER fail, and every one after it while FAIL_FILE exists (the disk stays full), as
   ENOSPC or EIO. Built with: gcc -shared -fPIC -O1 -o shim.so failing_writes.c -ldl

   FAIL_FILE holds "<n> <errno> <once>": it is read when it appears, so that a running process can be told. Writes are counted in FAIL_COUNT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* Shared with the test, which maps the same file: the number of writes left until the first failure (negative: none), the error,
   whether only one write fails, and how many were seen and failed. */
struct plan { _Atomic long left; long error; long once; _Atomic long seen; _Atomic long failed; };
static struct plan *plan;
static char under[4096];

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAIL_PLAN"), *where = getenv("FAIL_UNDER");
  if (!path || !where) return;
  int (*open_)(const char *, int, ...) = real("open");
  int fd = open_(path, O_RDWR);
  if (fd < 0) return;
  void *map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map != MAP_FAILED) plan = map;
  snprintf(under, sizeof under, "%s", where);
}

static int below(const char *path) { return path && strncmp(path, under, strlen(under)) == 0; }

static int ours(int fd) {
  char link[64], path[4096];
  if (!plan || fd < 3) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return 0;
  path[size] = 0;
  return below(path);
}

static int fails(void) {
  atomic_fetch_add(&plan->seen, 1);
  if (atomic_load(&plan->left) < 0) return 0;
  if (atomic_load(&plan->left) > 0) { atomic_fetch_sub(&plan->left, 1); return 0; }
  if (plan->once) atomic_store(&plan->left, -1);
  atomic_fetch_add(&plan->failed, 1);
  errno = (int)plan->error;
  return 1;
}

#define GUARD(fd) if (ours(fd) && fails()) return -1

ssize_t write(int fd, const void *data, size_t size) {
  static ssize_t (*next)(int, const void *, size_t);
  if (!next) next = real("write");
  GUARD(fd);
  return next(fd, data, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  static ssize_t (*next)(int, const struct iovec *, int);
  if (!next) next = real("writev");
  GUARD(fd);
  return next(fd, parts, count);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  static ssize_t (*next)(int, const void *, size_t, off_t);
  if (!next) next = real("pwrite");
  GUARD(fd);
  return next(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  static ssize_t (*next)(int, const void *, size_t, off64_t);
  if (!next) next = real("pwrite64");
  GUARD(fd);
  return next(fd, data, size, at);
}
int fsync(int fd) {
  static int (*next)(int);
  if (!next) next = real("fsync");
  GUARD(fd);
  return next(fd);
}
int fdatasync(int fd) {
  static int (*next)(int);
  if (!next) next = real("fdatasync");
  GUARD(fd);
  return next(fd);
}
int ftruncate(int fd, off_t size) {
  static int (*next)(int, off_t);
  if (!next) next = real("ftruncate");
  GUARD(fd);
  return next(fd, size);
}
int ftruncate64(int fd, off64_t size) {
  static int (*next)(int, off64_t);
  if (!next) next = real("ftruncate64");
  GUARD(fd);
  return next(fd, size);
}
int posix_fallocate(int fd, off_t at, off_t size) {
  static int (*next)(int, off_t, off_t);
  if (!next) next = real("posix_fallocate");
  if (ours(fd) && fails()) return (int)plan->error;
  return next(fd, at, size);
}
int fallocate(int fd, int mode, off_t at, off_t size) {
  static int (*next)(int, int, off_t, off_t);
  if (!next) next = real("fallocate");
  GUARD(fd);
  return next(fd, mode, at, size);
}
int mkdir(const char *path, mode_t mode) {
  static int (*next)(const char *, mode_t);
  if (!next) next = real("mkdir");
  if (plan && below(path) && fails()) return -1;
  return next(path, mode);
}
int rename(const char *from, const char *to) {
  static int (*next)(const char *, const char *);
  if (!next) next = real("rename");
  if (plan && below(to) && fails()) return -1;
  return next(from, to);
}
