// SPEC C13: who has voted what, and when all agree.
#include "app/hub/votes.h"

#include <doctest/doctest.h>

using namespace app;
using namespace app::hub;

namespace {

using Members = std::vector<std::string>;

const Comparison kMaps{"maps", {"a", "Maps"}, {"b", "Search"}};
const Comparison kMail{"mail", {"c", "Mail"}, {"d", "Chat"}};
const Members kThree{"ann", "bob", "cyd"};

Votes votes_on(std::initializer_list<Comparison> comparisons) {
    Votes votes;
    for (const Comparison& comparison : comparisons) CHECK(votes.put(comparison) == Consensus::kUnchanged);
    return votes;
}

// Everyone votes the same, of whom all but the last change nothing.
void agree(Votes* votes, const Members& members, const Vote& vote) {
    for (const std::string& member : members) {
        const Consensus expected = member == members.back() ? Consensus::kReached : Consensus::kUnchanged;
        CHECK(votes->cast(member, vote, members) == expected);
    }
}

bool parses(std::string_view text, Vote* vote, std::string* why) {
    Json json;
    JsonError error;
    REQUIRE(parse_json(text, {}, &json, &error));
    return parse_vote(json, vote, why);
}

bool parses(std::string_view text, Comparison* comparison, std::string* why) {
    Json json;
    JsonError error;
    REQUIRE(parse_json(text, {}, &json, &error));
    return parse_comparison(json, comparison, why);
}

std::string progress_of(const Votes& votes, const Members& members) {
    JsonWriter writer;
    votes.write_progress(members, &writer);
    return writer.take();
}

}  // namespace

TEST_CASE("consensus is reached with the vote that makes all agree") {
    Votes votes = votes_on({kMaps});
    CHECK(votes.cast("ann", {"maps", "a"}, kThree) == Consensus::kUnchanged);
    CHECK(votes.cast("bob", {"maps", "a"}, kThree) == Consensus::kUnchanged);
    CHECK(votes.progress().completed == 0);
    CHECK(votes.cast("cyd", {"maps", "a"}, kThree) == Consensus::kReached);
    CHECK(votes.progress().completed == 1);
    CHECK(votes.consensus_data("maps") ==
          R"({"comparison_id":"maps","winner_id":"a","is_tie":false,"winner_title":"Maps",)"
          R"("feature_a_title":"Maps","feature_b_title":"Search"})");
}

TEST_CASE("all may agree on a tie, which has no winner") {
    Votes votes = votes_on({kMaps});
    agree(&votes, kThree, {"maps", ""});
    CHECK(votes.consensus_data("maps") == R"({"comparison_id":"maps","winner_id":null,"is_tie":true,)"
                                          R"("feature_a_title":"Maps","feature_b_title":"Search"})");
}

TEST_CASE("a tie and a preference do not agree") {
    Votes votes = votes_on({kMaps});
    (void)votes.cast("ann", {"maps", "a"}, kThree);
    (void)votes.cast("bob", {"maps", ""}, kThree);
    CHECK(votes.cast("cyd", {"maps", "a"}, kThree) == Consensus::kUnchanged);
    CHECK(votes.progress().completed == 0);
}

TEST_CASE("the last to disagree may come round") {
    Votes votes = votes_on({kMaps});
    (void)votes.cast("ann", {"maps", "a"}, kThree);
    (void)votes.cast("bob", {"maps", "b"}, kThree);
    (void)votes.cast("cyd", {"maps", "a"}, kThree);
    CHECK(votes.cast("bob", {"maps", "a"}, kThree) == Consensus::kReached);
}

TEST_CASE("a changed vote breaks consensus, and the same vote again does not") {
    Votes votes = votes_on({kMaps});
    agree(&votes, kThree, {"maps", "a"});
    CHECK(votes.cast("bob", {"maps", "a"}, kThree) == Consensus::kUnchanged);
    CHECK(votes.cast("bob", {"maps", "b"}, kThree) == Consensus::kLost);
    CHECK(votes.progress().completed == 0);
    CHECK(votes.consensus_data("maps") ==
          R"({"comparison_id":"maps","feature_a_title":"Maps","feature_b_title":"Search"})");
    CHECK(votes.cast("bob", {"maps", ""}, kThree) == Consensus::kUnchanged);
}

TEST_CASE("a single voter reaches consensus with every change") {
    Votes votes = votes_on({kMaps});
    CHECK(votes.cast("ann", {"maps", "a"}, {"ann"}) == Consensus::kReached);
    CHECK(votes.cast("ann", {"maps", "b"}, {"ann"}) == Consensus::kReached);
    CHECK(votes.cast("ann", {"maps", ""}, {"ann"}) == Consensus::kReached);
    CHECK(votes.cast("ann", {"maps", ""}, {"ann"}) == Consensus::kUnchanged);
    CHECK(votes.progress().completed == 1);
}

TEST_CASE("a member added later breaks consensus until they agree") {
    Votes votes = votes_on({kMaps, kMail});
    agree(&votes, kThree, {"maps", "a"});
    const Members four{"ann", "bob", "cyd", "dan"};
    const auto changes = votes.members_changed(four);
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].comparison_id == "maps");
    CHECK(changes[0].consensus == Consensus::kLost);
    CHECK(votes.members_changed(four).empty());
    CHECK(votes.cast("dan", {"maps", "a"}, four) == Consensus::kReached);
}

TEST_CASE("a member who goes may leave consensus behind") {
    Votes votes = votes_on({kMaps, kMail});
    (void)votes.cast("ann", {"mail", "c"}, kThree);
    (void)votes.cast("bob", {"mail", "c"}, kThree);
    const auto changes = votes.members_changed({"ann", "bob"});
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].comparison_id == "mail");
    CHECK(changes[0].consensus == Consensus::kReached);
    CHECK(votes.progress().completed == 1);
}

TEST_CASE("who has gone does not count, but is remembered") {
    Votes votes = votes_on({kMaps});
    const Members two{"ann", "bob"};
    (void)votes.cast("cyd", {"maps", "b"}, kThree);
    agree(&votes, two, {"maps", "a"});
    CHECK(votes.members_changed(kThree)[0].consensus == Consensus::kLost);
    CHECK(votes.cast("cyd", {"maps", "a"}, kThree) == Consensus::kReached);
}

TEST_CASE("as many votes as members are no consensus where others have cast them") {
    Votes votes = votes_on({kMaps});
    (void)votes.cast("ann", {"maps", "a"}, kThree);
    (void)votes.cast("bob", {"maps", "a"}, kThree);
    CHECK(votes.members_changed({"ann", "dan"}).empty());
    CHECK(votes.progress().completed == 0);
}

TEST_CASE("a changed comparison loses its votes, and its consensus with them") {
    Votes votes = votes_on({kMaps, kMail});
    agree(&votes, kThree, {"maps", "a"});
    agree(&votes, kThree, {"mail", ""});
    CHECK(votes.put({"maps", {"a", "Maps 2"}, {"b", "Search"}}) == Consensus::kLost);
    CHECK(votes.find("maps")->a.title == "Maps 2");
    CHECK(votes.comparisons().size() == 2);
    CHECK(votes.progress().completed == 1);
    CHECK(votes.cast("ann", {"maps", "a"}, kThree) == Consensus::kUnchanged);
    // Said again in the same words it is still a change.
    CHECK(votes.put(*votes.find("maps")) == Consensus::kUnchanged);
    (void)votes.cast("bob", {"maps", "a"}, kThree);
    CHECK(votes.cast("cyd", {"maps", "a"}, kThree) == Consensus::kUnchanged);
}

TEST_CASE("without members there is no consensus") {
    Votes votes = votes_on({kMaps});
    CHECK(votes.members_changed({}).empty());
    agree(&votes, kThree, {"maps", "a"});
    CHECK(votes.members_changed({})[0].consensus == Consensus::kLost);
    CHECK(votes.progress().completed == 0);
    CHECK(votes.progress_data() == R"({"total":1,"completed":0,"percentage":0,"complete":false})");
}

TEST_CASE("a vote is judged by comparison and feature") {
    const Votes votes = votes_on({kMaps});
    CHECK_FALSE(votes.judge({"maps", "a"}));
    CHECK_FALSE(votes.judge({"maps", "b"}));
    CHECK_FALSE(votes.judge({"maps", ""}));
    REQUIRE(votes.judge({"mail", "a"}));
    CHECK(votes.judge({"mail", "a"})->code == ErrorCode::kNotFound);
    REQUIRE(votes.judge({"maps", "c"}));
    CHECK(votes.judge({"maps", "c"})->code == ErrorCode::kInvalidMessage);
    CHECK(votes.find("mail") == nullptr);
}

TEST_CASE("an earlier copy stays as it was, whatever is done to the later one") {
    Votes votes = votes_on({kMaps});
    (void)votes.cast("ann", {"maps", "a"}, kThree);
    (void)votes.cast("bob", {"maps", "a"}, kThree);
    const Votes before = votes;
    CHECK(votes.cast("cyd", {"maps", "a"}, kThree) == Consensus::kReached);
    CHECK(votes.put(kMail) == Consensus::kUnchanged);
    CHECK(before.comparisons().size() == 1);
    CHECK(before.progress().completed == 0);
    votes = before;
    CHECK(votes.cast("cyd", {"maps", "b"}, kThree) == Consensus::kUnchanged);
    CHECK(votes.cast("cyd", {"maps", "a"}, kThree) == Consensus::kReached);
}

TEST_CASE("progress is told in whole percent, rounded down") {
    Votes votes = votes_on({kMaps, kMail, {"news", {"e", ""}, {"f", ""}}});
    CHECK(Votes().progress_data() == R"({"total":0,"completed":0,"percentage":0,"complete":false})");
    agree(&votes, kThree, {"maps", "a"});
    CHECK(votes.progress_data() == R"({"total":3,"completed":1,"percentage":33,"complete":false})");
    agree(&votes, kThree, {"mail", "d"});
    CHECK(votes.progress_data() == R"({"total":3,"completed":2,"percentage":66,"complete":false})");
    agree(&votes, kThree, {"news", ""});
    CHECK(votes.progress_data() == R"({"total":3,"completed":3,"percentage":100,"complete":true})");
}

TEST_CASE("who has voted is told with what") {
    const Votes votes = votes_on({kMaps});
    CHECK(votes.received_data("ann", "Ann", {"maps", "a"}) ==
          R"({"comparison_id":"maps","user_id":"ann","name":"Ann","preferred_feature_id":"a","is_tie_vote":false})");
    CHECK(votes.received_data("ann", "", {"maps", ""}) ==
          R"({"comparison_id":"maps","user_id":"ann","name":"","preferred_feature_id":null,"is_tie_vote":true})");
}

TEST_CASE("progress of each comparison has the votes of members, in the list's order") {
    Votes votes = votes_on({kMaps, kMail});
    const Members two{"bob", "ann"};
    agree(&votes, {"ann", "bob"}, {"maps", "b"});
    (void)votes.cast("cyd", {"mail", "c"}, two);
    (void)votes.cast("ann", {"mail", ""}, two);
    CHECK(progress_of(votes, two) ==
          R"({"total":2,"completed":1,"percentage":50,"complete":false,"comparisons":[)"
          R"({"id":"maps","state":"consensus","winner_id":"b","is_tie":false,"winner_title":"Search","votes":[)"
          R"({"user_id":"bob","preferred_feature_id":"b","is_tie_vote":false},)"
          R"({"user_id":"ann","preferred_feature_id":"b","is_tie_vote":false}]},)"
          R"({"id":"mail","state":"open","votes":[)"
          R"({"user_id":"ann","preferred_feature_id":null,"is_tie_vote":true}]}]})");
}

TEST_CASE("a vote is a preference or a tie") {
    Vote vote;
    std::string why;
    CHECK(parses(R"({"comparison_id":"maps","preferred_feature_id":"a","is_tie_vote":false})", &vote, &why));
    CHECK(vote.comparison_id == "maps");
    CHECK(vote.feature_id == "a");
    for (const char* tie : {R"({"comparison_id":"m","is_tie_vote":true})",
                            R"({"comparison_id":"m","is_tie_vote":true,"preferred_feature_id":null})",
                            R"({"comparison_id":"m","is_tie_vote":true,"preferred_feature_id":""})"}) {
        CAPTURE(tie);
        vote.feature_id = "before";
        CHECK(parses(tie, &vote, &why));
        CHECK(vote.feature_id.empty());
    }
}

TEST_CASE("what is wrong with a vote is named") {
    const struct {
        const char* text;
        const char* why;
    } kRows[] = {
        {"[]", "not an object"},
        {"{}", "comparison_id: missing"},
        {R"({"comparison_id":7})", "comparison_id: not 1 to 64 characters of A-Z a-z 0-9 _ - ."},
        {R"({"comparison_id":"m"})", "preferred_feature_id: missing"},
        {R"({"comparison_id":"m","preferred_feature_id":""})",
         "preferred_feature_id: not 1 to 64 characters of A-Z a-z 0-9 _ - ."},
        {R"({"comparison_id":"m","is_tie_vote":1})", "is_tie_vote: neither true nor false"},
        {R"({"comparison_id":"m","is_tie_vote":true,"preferred_feature_id":"a"})",
         "preferred_feature_id: a tie has none"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.text);
        Vote vote;
        std::string why;
        CHECK_FALSE(parses(row.text, &vote, &why));
        CHECK(why == row.why);
    }
}

TEST_CASE("a comparison is read as it was written") {
    JsonWriter writer;
    write_comparison(kMaps, &writer);
    const std::string text = writer.take();
    CHECK(text == R"({"id":"maps","feature_a":{"id":"a","title":"Maps"},"feature_b":{"id":"b","title":"Search"}})");
    Comparison comparison;
    std::string why;
    REQUIRE(parses(text, &comparison, &why));
    CHECK(comparison.id == "maps");
    CHECK(comparison.a.id == "a");
    CHECK(comparison.b.title == "Search");
}

TEST_CASE("what is wrong with a comparison is named") {
    const struct {
        const char* text;
        const char* why;
    } kRows[] = {
        {"{}", "id: missing"},
        {R"({"id":"m"})", "feature_a: missing"},
        {R"({"id":"m","feature_a":{"id":"a","title":"A"},"feature_b":7})", "feature_b: not an object"},
        {R"({"id":"m","feature_a":{"id":"a"},"feature_b":{}})", "feature_a.title: missing"},
        {R"({"id":"m","feature_a":{"id":"a","title":"A","x":1},"feature_b":{}})", "feature_a.x: no such field"},
        {R"({"id":"m","feature_a":{"id":"a","title":"A"},"feature_b":{"id":"a","title":"B"}})",
         "feature_b.id: the same as feature_a's"},
        {R"({"id":"m","feature_a":{"id":"a","title":"A"},"feature_b":{"id":"b","title":"B"},"y":1})",
         "y: no such field"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.text);
        Comparison comparison;
        std::string why;
        CHECK_FALSE(parses(row.text, &comparison, &why));
        CHECK(why == row.why);
    }
}
