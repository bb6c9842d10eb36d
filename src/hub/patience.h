// Second tries: which answers may be better next time, how long to wait, when to give up.
#pragma once

#include "hub/http.h"

namespace gemma3n::hub {

class Patience {
public:
    explicit Patience(std::function<bool()> go_on) : go_on_(std::move(go_on)) {}
    // Waits and says whether to try again: after a server's 5xx, 408 or 429 (as long as Retry-After says) and after a broken
    // connection, four times in a row, half a second and then twice as long each time. Not when stopped, nor for any
    // other answer; a stop while it waits is noted in `r`.
    bool again(Response& r);
    // Bytes came: the count begins anew, and an address that stops answering is worth waiting for.
    void progressed() { tries_ = 0, reached_ = true; }

private:
    std::function<bool()> go_on_;
    int tries_ = 0;
    bool reached_ = false;
};

}  // namespace gemma3n::hub
