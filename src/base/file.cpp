#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

namespace gemma3n {

uint64_t page_bytes() {
    static const auto n = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    return n;
}

// The handler may only touch this: a fixed array of slots, claimed and released with atomics. A mapping that finds no slot is
// refused at open, so every mapped byte is covered.
struct BusHandler {
    static constexpr int n_slots = 1024;
    struct Slot {
        std::atomic<uint32_t> version{0};  // odd while the slot changes: the handler never acts on a range that is half another's
        std::atomic<const File*> file{nullptr};
        std::atomic<uintptr_t> begin{0}, end{0};

        void set(const File* f, uintptr_t b, uintptr_t e) {
            version.fetch_add(1);
            file.store(f);
            begin.store(b);
            end.store(e);
            version.fetch_add(1);
        }
    };
    static Slot slots[n_slots];
    static struct sigaction previous;

    static void handle(int signal, siginfo_t* details, void* context) {
        const bool fault = details->si_code > 0;  // of this thread; otherwise somebody sent the signal and si_addr means nothing
        const auto at = reinterpret_cast<uintptr_t>(details->si_addr);
        for (Slot& s : slots) {
            const uint32_t version = s.version.load();
            const File* file = s.file.load();
            const uintptr_t begin = s.begin.load(), end = s.end.load();
            if (!fault || !file || at < begin || at >= end || version % 2 != 0 || s.version.load() != version) continue;
            const int saved = errno;
            file->broken_.store(true, std::memory_order_release);
            // zeros for the whole mapping: the pass runs to its end on them and is then refused
            void* p = mmap(reinterpret_cast<void*>(begin), end - begin, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
            errno = saved;
            if (p != MAP_FAILED) return;
        }
        if (previous.sa_flags & SA_SIGINFO) return previous.sa_sigaction(signal, details, context);
        if (previous.sa_handler == SIG_IGN && !fault) return;
        if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) return previous.sa_handler(signal);
        struct sigaction plain {};
        plain.sa_handler = SIG_DFL;  // a fault repeats on return and ends the process as it would have; a sent signal is sent again
        sigaction(SIGBUS, &plain, nullptr);
        if (!fault) raise(SIGBUS);
    }

    static void install() {
        static std::once_flag once;
        std::call_once(once, [] {
            struct sigaction action {};
            action.sa_sigaction = handle;
            action.sa_flags = SA_SIGINFO;
            sigemptyset(&action.sa_mask);
            sigaction(SIGBUS, nullptr, &previous);  // known before the handler can run
            sigaction(SIGBUS, &action, nullptr);
        });
    }

    static bool add(const File* file, const std::byte* data, uint64_t size) {
        const std::lock_guard lock(mutex);
        for (Slot& s : slots) {
            if (s.file.load()) continue;
            const uint64_t page = page_bytes();
            s.set(file, reinterpret_cast<uintptr_t>(data), reinterpret_cast<uintptr_t>(data) + (size + page - 1) / page * page);
            return true;
        }
        return false;
    }

    static void remove(const File* file) {
        const std::lock_guard lock(mutex);
        for (Slot& s : slots)
            if (s.file.load() == file) s.set(nullptr, 0, 0);
    }

    static std::mutex mutex;  // of add and remove; the handler takes none
};

BusHandler::Slot BusHandler::slots[BusHandler::n_slots];
struct sigaction BusHandler::previous;
std::mutex BusHandler::mutex;

Result<std::shared_ptr<File>> File::open(const std::string& path) {
    std::shared_ptr<File> f(new File);
    f->path_ = path;
    f->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe is refused below, not waited for
    if (f->fd_ < 0) {
        return fail(errno == ENOENT ? Code::not_found : Code::io, "%s: cannot be opened: %s", path.c_str(), strerror(errno));
    }
    struct stat st {};
    if (fstat(f->fd_, &st) != 0) return fail(Code::io, "%s: cannot be examined: %s", path.c_str(), strerror(errno));
    if (!S_ISREG(st.st_mode)) return fail(Code::bad_file, "%s: is not a regular file", path.c_str());
    if (st.st_size == 0) return fail(Code::bad_file, "%s: is empty", path.c_str());
    f->size_ = static_cast<uint64_t>(st.st_size);
    void* p = mmap(nullptr, f->size_, PROT_READ, MAP_SHARED, f->fd_, 0);
    if (p == MAP_FAILED) return fail(Code::io, "%s: cannot be mapped: %s", path.c_str(), strerror(errno));
    f->data_ = static_cast<std::byte*>(p);
    BusHandler::install();
    if (!BusHandler::add(f.get(), f->data_, f->size_)) {
        return fail(Code::io, "%s: cannot be mapped: %d files are open already", path.c_str(), BusHandler::n_slots);
    }
    return f;
}

File::~File() {
    BusHandler::remove(this);
    if (data_) munmap(data_, size_);
    if (fd_ >= 0) close(fd_);
}

Status File::read(uint64_t offset, std::span<std::byte> out) const {
    if (offset > size_ || out.size() > size_ - offset) {
        return fail(Code::bad_file, "%s: %zu bytes at offset %llu: the file has %llu", path_.c_str(), out.size(),
                    static_cast<unsigned long long>(offset), static_cast<unsigned long long>(size_));
    }
    for (size_t done = 0; done < out.size();) {
        const ssize_t n = pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(Code::io, "%s: cannot be read: %s", path_.c_str(), strerror(errno));
        if (n == 0) {
            broken_.store(true, std::memory_order_release);  // for good, even if the file grows again: it would hold other bytes
            return intact();
        }
        done += static_cast<size_t>(n);
    }
    return {};
}

void File::advise(uint64_t offset, uint64_t n_bytes, Advice advice) const {
    if (n_bytes == 0 || offset >= size_) return;
    const uint64_t page = page_bytes();
    // Pages that only partly belong to the range are read ahead, but not given back.
    const bool inner = advice == Advice::dont_need;
    const uint64_t end_byte = n_bytes > size_ - offset ? size_ : offset + n_bytes;
    const uint64_t begin = inner ? (offset + page - 1) / page * page : offset / page * page;
    const uint64_t end = inner && end_byte < size_ ? end_byte / page * page : end_byte;
    if (begin >= end) return;
    const int how = advice == Advice::will_need ? MADV_WILLNEED : MADV_DONTNEED;
    madvise(data_ + begin, end - begin, how);
}

Status File::intact() const {
    struct stat st {};
    if (fstat(fd_, &st) != 0) return fail(Code::io, "%s: cannot be examined: %s", path_.c_str(), strerror(errno));
    if (static_cast<uint64_t>(st.st_size) < size_) {
        broken_.store(true, std::memory_order_release);
        return fail(Code::io, "%s: the file has shrunk from %llu to %llu bytes while it was in use", path_.c_str(),
                    static_cast<unsigned long long>(size_), static_cast<unsigned long long>(st.st_size));
    }
    if (broken_.load(std::memory_order_acquire)) {
        return fail(Code::io, "%s: a part of the file could not be read while it was in use; it had %llu bytes when it was opened",
                    path_.c_str(), static_cast<unsigned long long>(size_));
    }
    return {};
}

}  // namespace gemma3n
