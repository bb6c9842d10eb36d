#include "runtime/grouped_rows.h"

#include "base/result.h"
#include "runtime/engine_impl.h"

namespace gemma3n::runtime {

namespace {

class Grouping {
public:
    explicit Grouping(Engine& engine) : engine_(engine), towers_(*engine.impl().towers) {}

    Status add(size_t i, const StepRow& r) {
        if (!r.session || r.session->impl().engine.get() != &engine_) {
            return fail(Code::bad_argument, "row %zu of a step has %s: expected a session of this engine", i, r.session ? "another engine's session" : "no session");
        }
        const bool continues = session_ == r.session;
        if (!continues) TRY(begin(i, r.session));
        model::Batch& batch = out_.groups[static_cast<size_t>(group_)];
        const int64_t position = continues ? batch.rows.back().position + 1 : r.session->n_tokens();
        if (position >= r.session->context_tokens()) {
            return fail(Code::context_full, "the context is full: it has room for %lld tokens", static_cast<long long>(r.session->context_tokens()));
        }
        const float* embedding = r.embedding;
        if (!embedding && towers_.is_mark(r.id)) {
            ASSIGN(embedding, towers_.hard(engine_.impl().context(towers_.scratch()), r.id));
        }
        if (!embedding && (r.id < 0 || r.id >= engine_.impl().config.vocab)) {
            return fail(Code::bad_argument, "row %zu of a step has token id %d: expected 0 to %lld", i, r.id, static_cast<long long>(engine_.info().n_ids - 1));
        }
        int& n_wanted = n_wanted_[static_cast<size_t>(group_)];
        if (r.wants_logits) out_.wanted.push_back({group_, n_wanted++});
        batch.rows.push_back({static_cast<int>(batch.caches.size()) - 1, position, r.id, embedding, r.wants_logits});
        return {};
    }

    GroupedRows take() { return std::move(out_); }

private:
    Status begin(size_t i, Session* session) {
        Session::Impl& s = session->impl();
        for (const Session* earlier : earlier_) {
            if (earlier == session) return fail(Code::bad_argument, "row %zu of a step comes back to an earlier session: expected each session's rows together", i);
        }
        if (!s.pending.empty()) {
            return fail(Code::bad_argument, "row %zu of a step continues a session whose last generated token is not processed yet: expected append() of no ids before it, or rollback() to drop it", i);
        }
        earlier_.push_back(session);
        session_ = session;
        group_ = 0;
        while (group_ < static_cast<int>(out_.groups.size()) && !model::same_network(*out_.groups[static_cast<size_t>(group_)].slice, *s.size)) group_++;
        if (group_ == static_cast<int>(out_.groups.size())) {
            out_.groups.emplace_back().slice = s.size.get();
            n_wanted_.push_back(0);
        }
        out_.groups[static_cast<size_t>(group_)].caches.push_back(&s.cache);
        return {};
    }

    Engine& engine_;
    Towers& towers_;
    GroupedRows out_;
    std::vector<int> n_wanted_;  // by group
    std::vector<const Session*> earlier_;
    const Session* session_ = nullptr;
    int group_ = 0;
};

}  // namespace

Result<GroupedRows> grouped(Engine& engine, std::span<const StepRow> rows) {
    if (rows.empty()) return fail(Code::bad_argument, "a step without rows: expected at least one");
    Grouping grouping(engine);
    for (size_t i = 0; i < rows.size(); i++) TRY(grouping.add(i, rows[i]));
    return grouping.take();
}

}  // namespace gemma3n::runtime
