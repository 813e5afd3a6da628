#include "app/hub/votes.h"

#include "app/hub/fields.h"

namespace app::hub {
namespace {

void parse_feature(Fields* fields, std::string_view name, Feature* feature, std::string* why) {
    const Json* json = nullptr;
    if (!fields->object(name, Need::kRequired, &json)) return;
    Fields inner(*json, fields->path_of(name), why);
    inner.identifier("id", Need::kRequired, &feature->id);
    inner.text("title", Need::kRequired, &feature->title);
    if (!inner.finish()) fields->wrong_within();
}

void write_feature(const char* name, const Feature& feature, JsonWriter* writer) {
    writer->key(name).begin_object();
    writer->key("id").string(feature.id).key("title").string(feature.title).end_object();
}

// A vote's choice as everything tells it: a feature's id, or null for a tie.
void write_choice(const char* name, std::string_view feature_id, JsonWriter* writer) {
    writer->key(name);
    if (feature_id.empty()) {
        writer->null();
    } else {
        writer->string(feature_id);
    }
}

void write_vote(std::string_view feature_id, JsonWriter* writer) {
    write_choice("preferred_feature_id", feature_id, writer);
    writer->key("is_tie_vote").boolean(feature_id.empty());
}

void write_totals(const Progress& progress, JsonWriter* writer) {
    // Rounded down, so that 100 means all.
    const uint64_t percentage = progress.total ? progress.completed * 100 / progress.total : 0;
    writer->key("total").number(uint64_t{progress.total}).key("completed").number(uint64_t{progress.completed});
    writer->key("percentage").number(percentage);
    writer->key("complete").boolean(progress.total && progress.completed == progress.total);
}

// What all members have voted, if they agree.
std::optional<std::string> agreed(const std::map<std::string, std::string, std::less<>>& votes,
                                  const std::vector<std::string>& members) {
    // Most looks end here, without a look at everyone.
    if (members.empty() || votes.size() < members.size()) return std::nullopt;
    const std::string* choice = nullptr;
    for (const std::string& member : members) {
        const auto vote = votes.find(member);
        if (vote == votes.end() || (choice && vote->second != *choice)) return std::nullopt;
        choice = &vote->second;
    }
    return *choice;
}

}  // namespace

// ---------------------------------------------------------------------------------------------- reading and writing

bool parse_comparison(const Json& json, std::string path, Comparison* comparison, std::string* why) {
    Fields fields(json, std::move(path), why);
    fields.identifier("id", Need::kRequired, &comparison->id);
    parse_feature(&fields, "feature_a", &comparison->a, why);
    parse_feature(&fields, "feature_b", &comparison->b, why);
    if (fields.ok() && comparison->a.id == comparison->b.id) fields.wrong("feature_b.id", "the same as feature_a's");
    return fields.finish();
}

bool parse_comparison(const Json& json, Comparison* comparison, std::string* why) {
    return parse_comparison(json, "", comparison, why);
}

void write_comparison(const Comparison& comparison, JsonWriter* writer) {
    writer->begin_object().key("id").string(comparison.id);
    write_feature("feature_a", comparison.a, writer);
    write_feature("feature_b", comparison.b, writer);
    writer->end_object();
}

bool parse_vote(const Json& json, Vote* vote, std::string* why) {
    Fields fields(json, "", why);
    bool tie = false;
    fields.identifier("comparison_id", Need::kRequired, &vote->comparison_id);
    fields.flag("is_tie_vote", &tie);
    vote->feature_id.clear();
    // Forms send the name of nothing with a tie.
    const Json* const choice = json.find("preferred_feature_id");
    const bool blank = choice && choice->is(JsonType::kString) && choice->string().empty();
    if (!(tie && blank))
        fields.identifier("preferred_feature_id", tie ? Need::kOptional : Need::kRequired, &vote->feature_id);
    if (tie && !vote->feature_id.empty()) fields.wrong("preferred_feature_id", "a tie has none");
    return fields.ok();
}

// ------------------------------------------------------------------------------------------------------------ voting

Votes::Tally& Votes::own(size_t at) {
    std::shared_ptr<Tally>& tally = tallies_[at];
    if (tally.use_count() > 1) tally = std::make_shared<Tally>(*tally);
    return *tally;
}

Consensus Votes::put(const Comparison& comparison) {
    const auto [place, is_new] = places_.try_emplace(comparison.id, comparisons_.size());
    if (is_new) {
        comparisons_.push_back(comparison);
        tallies_.push_back(std::make_shared<Tally>());
        return Consensus::kUnchanged;
    }
    const bool had_consensus = tallies_[place->second]->outcome.has_value();
    comparisons_[place->second] = comparison;
    tallies_[place->second] = std::make_shared<Tally>();
    completed_ -= had_consensus;
    return had_consensus ? Consensus::kLost : Consensus::kUnchanged;
}

const Comparison* Votes::find(std::string_view comparison_id) const {
    const auto place = places_.find(comparison_id);
    return place == places_.end() ? nullptr : &comparisons_[place->second];
}

const std::vector<Comparison>& Votes::comparisons() const { return comparisons_; }

std::optional<Failure> Votes::judge(const Vote& vote) const {
    const Comparison* const comparison = find(vote.comparison_id);
    if (!comparison) return Failure{ErrorCode::kNotFound, "no such comparison: " + vote.comparison_id};
    const std::string& feature = vote.feature_id;
    if (feature.empty() || feature == comparison->a.id || feature == comparison->b.id) return std::nullopt;
    return Failure{ErrorCode::kInvalidMessage, "preferred_feature_id: none of the comparison's features"};
}

Consensus Votes::settle(size_t at, const std::vector<std::string>& members) {
    std::optional<std::string> now = agreed(tallies_[at]->votes, members);
    const std::optional<std::string>& before = tallies_[at]->outcome;
    if (now == before) return Consensus::kUnchanged;
    completed_ += now.has_value();
    completed_ -= before.has_value();
    const Consensus consensus = now ? Consensus::kReached : Consensus::kLost;
    own(at).outcome = std::move(now);
    return consensus;
}

Consensus Votes::cast(std::string_view user_id, const Vote& vote, const std::vector<std::string>& members) {
    const auto place = places_.find(vote.comparison_id);
    if (place == places_.end()) return Consensus::kUnchanged;
    own(place->second).votes.insert_or_assign(std::string(user_id), vote.feature_id);
    return settle(place->second, members);
}

std::vector<Votes::Change> Votes::members_changed(const std::vector<std::string>& members) {
    std::vector<Change> changes;
    for (size_t at = 0; at < comparisons_.size(); at++) {
        const Consensus consensus = settle(at, members);
        if (consensus != Consensus::kUnchanged) changes.push_back({comparisons_[at].id, consensus});
    }
    return changes;
}

Progress Votes::progress() const { return {comparisons_.size(), completed_}; }

// ----------------------------------------------------------------------------------------------------------- telling

std::string Votes::received_data(std::string_view user_id, std::string_view name, const Vote& vote) const {
    JsonWriter writer;
    writer.begin_object().key("comparison_id").string(vote.comparison_id);
    writer.key("user_id").string(user_id).key("name").string(name);
    write_vote(vote.feature_id, &writer);
    return writer.end_object().take();
}

std::string Votes::consensus_data(std::string_view comparison_id) const {
    JsonWriter writer;
    writer.begin_object().key("comparison_id").string(comparison_id);
    const auto place = places_.find(comparison_id);
    if (place != places_.end()) {
        const Comparison& comparison = comparisons_[place->second];
        write_outcome(place->second, &writer);
        writer.key("feature_a_title").string(comparison.a.title).key("feature_b_title").string(comparison.b.title);
    }
    return writer.end_object().take();
}

// The winner's id and title and whether it is a tie, while there is consensus.
void Votes::write_outcome(size_t at, JsonWriter* writer) const {
    const std::optional<std::string>& outcome = tallies_[at]->outcome;
    if (!outcome) return;
    write_choice("winner_id", *outcome, writer);
    writer->key("is_tie").boolean(outcome->empty());
    if (outcome->empty()) return;
    const Comparison& comparison = comparisons_[at];
    writer->key("winner_title").string((*outcome == comparison.a.id ? comparison.a : comparison.b).title);
}

std::string Votes::progress_data() const {
    JsonWriter writer;
    writer.begin_object();
    write_totals(progress(), &writer);
    return writer.end_object().take();
}

void Votes::write_progress(const std::vector<std::string>& members, JsonWriter* writer) const {
    writer->begin_object();
    write_totals(progress(), writer);
    writer->key("comparisons").begin_array();
    for (size_t at = 0; at < comparisons_.size(); at++) {
        writer->begin_object().key("id").string(comparisons_[at].id);
        writer->key("state").string(tallies_[at]->outcome ? "consensus" : "open");
        write_outcome(at, writer);
        writer->key("votes").begin_array();
        for (const std::string& member : members) {
            const auto vote = tallies_[at]->votes.find(member);
            if (vote == tallies_[at]->votes.end()) continue;
            writer->begin_object().key("user_id").string(member);
            write_vote(vote->second, writer);
            writer->end_object();
        }
        writer->end_array().end_object();
    }
    writer->end_array().end_object();
}

}  // namespace app::hub
