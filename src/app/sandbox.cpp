#include "app/sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <iterator>

namespace app {

bool renounce_privileges() { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0; }

#if defined(__x86_64__) || defined(__aarch64__)

namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// x86-64 still has calls that later architectures only know in their newer form.
const uint32_t kAllowed[] = {
    // the loop and its sockets
    SYS_epoll_pwait,
    SYS_epoll_ctl,
    SYS_accept4,
    SYS_recvfrom,
    SYS_sendto,
    SYS_sendmsg,
    SYS_read,
    SYS_write,
    SYS_writev,
    SYS_ppoll,
    SYS_close,
    SYS_shutdown,
    SYS_getsockname,
    SYS_getpeername,
    SYS_getsockopt,
    SYS_setsockopt,
    // memory
    SYS_munmap,
    SYS_mremap,
    SYS_brk,
    SYS_madvise,
    SYS_futex,
    // time, randomness and who we are
    SYS_clock_gettime,
    SYS_getrandom,
    SYS_getpid,
    SYS_gettid,
    SYS_sched_yield,
    // files: the configuration, the log, /proc for metrics, spare descriptors, and what is removed at the end
    SYS_openat,
    SYS_fstat,
    SYS_newfstatat,
    SYS_getdents64,
    SYS_ftruncate,
    SYS_unlinkat,
    // the hub's sessions, kept on disk by threads that have been started before
    SYS_pread64,
    SYS_pwrite64,
    SYS_fsync,
    SYS_fdatasync,
    SYS_mkdirat,
    SYS_renameat,
    SYS_renameat2,
    // what a thread does first, as one that was started before the filter may begin after it
    SYS_rseq,
    SYS_set_robust_list,
    // signals, and the end, orderly or by abort()
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
#if defined(__x86_64__)
    SYS_epoll_wait,
    SYS_poll,
    SYS_open,
    SYS_unlink,
    SYS_mkdir,
    SYS_rename,
    SYS_rmdir,
#endif
};

// What is allowed or not by the low half of one argument, which is all that the kernel reads of these.
struct Rule {
    uint32_t call;
    unsigned argument;
    uint16_t test;  // of the argument with `operand`
    uint32_t operand;
    bool allowed;  // where the test holds; else the other way round
};

constexpr uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr uint16_t kJumpIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr uint16_t kJumpIfSet = BPF_JMP | BPF_JSET | BPF_K;
constexpr uint16_t kReturn = BPF_RET | BPF_K;
constexpr uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;

constexpr size_t kAllowedCount = std::size(kAllowed), kRuleCount = 4, kRuleSteps = 5;
constexpr size_t kProgramMax = kAllowedCount + kRuleCount * kRuleSteps + 6;
static_assert(kAllowedCount < 255);  // how far a jump reaches

constexpr uint32_t offset_of_argument(unsigned number) {
    static_assert(std::endian::native == std::endian::little);  // its low half comes first
    return uint32_t(offsetof(seccomp_data, args) + number * sizeof(uint64_t));
}

struct Program {
    sock_filter steps[kProgramMax];
    uint16_t len = 0;

    void add(uint16_t code, uint32_t operand, size_t if_true = 0, size_t if_false = 0) {
        steps[len++] = {code, uint8_t(if_true), uint8_t(if_false), operand};
    }
    void add(const Rule& rule) {
        add(kJumpIfEqual, rule.call, 0, kRuleSteps - 1);
        add(kLoad, offset_of_argument(rule.argument));
        add(rule.test, rule.operand, 0, 1);
        add(kReturn, rule.allowed ? SECCOMP_RET_ALLOW : kRefuse);
        add(kReturn, rule.allowed ? kRefuse : SECCOMP_RET_ALLOW);
    }
};

void write_program(Program& program) {
    // No memory becomes executable. Signals are for this process alone, which needs them for abort(), and so are
    // limits: both calls would reach every process of the same user.
    const Rule rules[kRuleCount] = {
        {SYS_mmap, 2, kJumpIfSet, PROT_EXEC, false},
        {SYS_mprotect, 2, kJumpIfSet, PROT_EXEC, false},
        {SYS_tgkill, 0, kJumpIfEqual, uint32_t(getpid()), true},
        {SYS_prlimit64, 0, kJumpIfEqual, 0, true},
    };
    program.add(kLoad, offsetof(seccomp_data, arch));
    program.add(kJumpIfEqual, kArchitecture, 1, 0);
    program.add(kReturn, SECCOMP_RET_KILL_PROCESS);
    program.add(kLoad, offsetof(seccomp_data, nr));
    for (const Rule& rule : rules) program.add(rule);
    size_t left = kAllowedCount;
    for (const uint32_t call : kAllowed) program.add(kJumpIfEqual, call, left--);
    program.add(kReturn, kRefuse);
    program.add(kReturn, SECCOMP_RET_ALLOW);
}

}  // namespace

bool enter_sandbox() {
    Program program;
    write_program(program);
    const sock_fprog filter{program.len, program.steps};
    const long refused = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    if (refused > 0) errno = EBUSY;  // a thread that has a filter of its own
    return refused == 0;
}

#else

bool enter_sandbox() {
    errno = ENOSYS;
    return false;
}

#endif

}  // namespace app
