// Comparisons and the votes on them. It knows who has voted what and when all agree; it sends nothing, and who may vote
// is for the caller to tell. Copies are cheap, as they share what neither changes: what was staged and then not kept is
// taken back by putting an earlier copy in its place.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/hub/envelope.h"
#include "app/json.h"
#include "app/json_writer.h"

namespace app::hub {

constexpr size_t kComparisonMaxCount = 1000;  // of a session

struct Feature {
    std::string id;
    std::string title;
};

struct Comparison {
    std::string id;
    Feature a, b;
};

// A preference, or a tie where `feature_id` is empty.
struct Vote {
    std::string comparison_id;
    std::string feature_id;
};

// Reads {id, feature_a:{id,title}, feature_b:{id,title}}. False sets `*why` to what is wrong with it, with the path to
// it where there is one.
[[nodiscard]] bool parse_comparison(const Json& json, std::string path, Comparison* comparison, std::string* why);
[[nodiscard]] bool parse_comparison(const Json& json, Comparison* comparison, std::string* why);
void write_comparison(const Comparison& comparison, JsonWriter* writer);

// Reads {comparison_id, preferred_feature_id, is_tie_vote}, as in `data.vote`. False sets `*why`.
[[nodiscard]] bool parse_vote(const Json& json, Vote* vote, std::string* why);

// What a change has come to for one comparison.
enum class Consensus : uint8_t { kUnchanged, kReached, kLost };

struct Progress {
    size_t total = 0;      // comparisons
    size_t completed = 0;  // of these, with consensus
};

// The votes of one session. Members are its list of voters, by user id; the list may change at any time, and a vote of
// somebody who is no longer on it does not count but is remembered, should they come back.
class Votes {
  public:
    // Adds a comparison, or changes the one with that id, whose votes are then dropped, also where it says the same as
    // before: reading a history again must come to what came of it the first time. kLost or kUnchanged.
    Consensus put(const Comparison& comparison);

    const Comparison* find(std::string_view comparison_id) const;
    const std::vector<Comparison>& comparisons() const;

    // Null if the vote can be taken, else why not: no such comparison (kNotFound) or feature (kInvalidMessage).
    std::optional<Failure> judge(const Vote& vote) const;

    // Takes a vote that judge() lets pass, in place of the user's earlier one. kReached also where consensus changes to
    // another winner by one vote, which only a single voter can bring about.
    Consensus cast(std::string_view user_id, const Vote& vote, const std::vector<std::string>& members);

    // Looks at all comparisons anew after the list of members has changed: those whose consensus changed.
    struct Change {
        std::string comparison_id;
        Consensus consensus;
    };
    std::vector<Change> members_changed(const std::vector<std::string>& members);

    Progress progress() const;

    // `data` of the messages that tell of this (HUB "Rules that settle doubts").
    std::string received_data(std::string_view user_id, std::string_view name, const Vote& vote) const;
    std::string consensus_data(std::string_view comparison_id) const;  // of consensus_reached and consensus_lost
    std::string progress_data() const;

    // The body of GET .../progress: totals, and each comparison's state (`open` or `consensus`), outcome, and votes of
    // members.
    void write_progress(const std::vector<std::string>& members, JsonWriter* writer) const;

  private:
    // The votes on one comparison, by user: features, or empty for a tie. `outcome` is what all agree on, in the same
    // form, while they do; it tells what has been told, and not more.
    struct Tally {
        std::map<std::string, std::string, std::less<>> votes;
        std::optional<std::string> outcome;
    };

    // The tally of comparison number `at`, no longer shared with a copy of this.
    Tally& own(size_t at);

    // Consensus of a comparison as it is now, put in place of what it was.
    Consensus settle(size_t at, const std::vector<std::string>& members);

    void write_outcome(size_t at, JsonWriter* writer) const;

    std::vector<Comparison> comparisons_;
    std::vector<std::shared_ptr<Tally>> tallies_;        // of each
    std::map<std::string, size_t, std::less<>> places_;  // of each, by id
    size_t completed_ = 0;
};

}  // namespace app::hub
