// A V4L2 camera of the test's own: a file in memory stands for the device, and what FFmpeg asks of it is answered here.
#include "media/video.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <thread>

namespace {

constexpr uint32_t side = 32, picture_bytes = side * side * 3 / 2, n_buffers = 4, buffer_stride = 1 << 12;

std::atomic<bool> camera_on{false};
std::atomic<int64_t> pictures{0};  // that are still to come
std::atomic<int64_t> n_waits{0};   // times that FFmpeg was made to wait in the system
uint32_t n_given;

int answer(int fd, unsigned long request, void* arg) {
    switch (request) {
        case VIDIOC_QUERYCAP: static_cast<v4l2_capability*>(arg)->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING; return 0;
        case VIDIOC_G_FMT:
        case VIDIOC_S_FMT: {
            auto& pix = static_cast<v4l2_format*>(arg)->fmt.pix;
            pix.width = pix.height = side;
            pix.pixelformat = V4L2_PIX_FMT_YUV420;
            pix.field = V4L2_FIELD_NONE;
            pix.sizeimage = picture_bytes;
            return 0;
        }
        case VIDIOC_G_PARM: static_cast<v4l2_streamparm*>(arg)->parm.capture.timeperframe = {1, 30}; return 0;
        case VIDIOC_REQBUFS: static_cast<v4l2_requestbuffers*>(arg)->count = n_buffers; return 0;
        case VIDIOC_QUERYBUF: {
            auto& b = *static_cast<v4l2_buffer*>(arg);
            b.length = picture_bytes;
            b.m.offset = b.index * buffer_stride;
            return 0;
        }
        case VIDIOC_DQBUF: {
            if (pictures == 0) {
                if (fcntl(fd, F_GETFL) & O_NONBLOCK) return errno = EAGAIN, -1;
                n_waits++;
                std::this_thread::sleep_for(std::chrono::seconds(1));
                return errno = EIO, -1;
            }
            pictures--;
            auto& b = *static_cast<v4l2_buffer*>(arg);
            b.index = n_given % n_buffers;
            b.bytesused = picture_bytes;
            b.timestamp = {n_given / 30, static_cast<suseconds_t>(n_given % 30 * 1000000 / 30)};
            n_given++;
            return 0;
        }
        default: return 0;
    }
}

}  // namespace

// In the place of the C library's: FFmpeg asks here.
extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
    va_list args;
    va_start(args, request);
    void* arg = va_arg(args, void*);
    va_end(args);
    if (camera_on && _IOC_TYPE(request) == 'V') return answer(fd, request, arg);
    return static_cast<int>(syscall(SYS_ioctl, fd, request, arg));
}

namespace gemma3n::media {
namespace {

class Camera : public testing::Test {
protected:
    void SetUp() override {
        device_ = memfd_create("camera", MFD_CLOEXEC);
        ASSERT_EQ(ftruncate(device_, n_buffers * buffer_stride), 0);
        path_ = "/dev/fd/" + std::to_string(device_);
        camera_on = true;
        n_waits = 0, n_given = 0;
    }
    void TearDown() override {
        camera_on = false;
        if (device_ >= 0) close(device_);
    }
    int device_ = -1;
    std::string path_;
};

TEST_F(Camera, GivesPicturesAndAWaitForMoreCanBeEnded) {
    pictures = 60;
    bool go_on = true;
    const auto reader = open_camera(path_, {.fps = 30, .waiting = [&] { return go_on; }});
    ASSERT_TRUE(reader) << reader.error().message;
    auto frame = (*reader)->next(nullptr);
    ASSERT_TRUE(frame && *frame) << frame.error().message;
    EXPECT_EQ((**frame).image.width, side);
    go_on = false;
    for (int i = 0; i < 60 && frame; i++) frame = (*reader)->next(nullptr);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, Code::cancelled);
    EXPECT_EQ(n_waits, 0);
}

TEST_F(Camera, ThatGivesNothingIsLeftWhenTheCallerSaysSo) {
    pictures = 0;
    int asked = 0;
    const auto reader = open_camera(path_, {.waiting = [&] { return ++asked < 10; }});
    const Error error = reader ? (*reader)->next(nullptr).error() : reader.error();
    EXPECT_EQ(error.code, Code::cancelled) << error.message;
    EXPECT_GE(asked, 10);
    EXPECT_EQ(n_waits, 0);
}

TEST_F(Camera, ThatStallsDoesNotHoldALiveReader) {
    pictures = 60;
    const auto gate = std::make_shared<Gate>();
    auto camera = open_camera(path_, {.fps = 30, .live = true, .waiting = [gate] { return gate->goes_on(); }});
    ASSERT_TRUE(camera) << camera.error().message;
    {
        const auto reader = live(std::move(*camera), gate, false);
        const auto frame = reader->next(nullptr);
        ASSERT_TRUE(frame && *frame);
        while (pictures > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(n_waits, 0);
}

}  // namespace
}  // namespace gemma3n::media
