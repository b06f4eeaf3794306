#include "slab/epoch.h"

#include <catch2/catch.hpp>

namespace larder::slab {
namespace {

void AdvanceAsFarAsPossible(EpochDomain& epochs) {
  for (int i = 0; i < 10; ++i) epochs.TryAdvance();
}

TEST_CASE("with nobody on-line a grace period is over after two steps") {
  EpochDomain epochs;
  epochs.AddParticipant();
  const Epoch stamp = epochs.Seal();
  CHECK_FALSE(epochs.IsOver(stamp));
  REQUIRE(epochs.TryAdvance());
  CHECK_FALSE(epochs.IsOver(stamp));
  REQUIRE(epochs.TryAdvance());
  CHECK(epochs.IsOver(stamp));
}

TEST_CASE("a reader that stays on-line holds up the grace period until it is quiescent") {
  EpochDomain epochs;
  EpochDomain::Participant& reader = epochs.AddParticipant();
  epochs.Enter(reader);
  const Epoch stamp = epochs.Seal();
  AdvanceAsFarAsPossible(epochs);
  CHECK_FALSE(epochs.IsOver(stamp));
  epochs.Quiesce(reader);
  AdvanceAsFarAsPossible(epochs);
  CHECK(epochs.IsOver(stamp));
}

TEST_CASE("one quiescent state announced before the seal is not enough") {
  EpochDomain epochs;
  EpochDomain::Participant& reader = epochs.AddParticipant();
  epochs.Enter(reader);
  epochs.Quiesce(reader);
  const Epoch stamp = epochs.Seal();
  AdvanceAsFarAsPossible(epochs);
  CHECK_FALSE(epochs.IsOver(stamp));
}

TEST_CASE("a reader that goes off-line no longer holds up anybody") {
  EpochDomain epochs;
  EpochDomain::Participant& reader = epochs.AddParticipant();
  epochs.Enter(reader);
  const Epoch stamp = epochs.Seal();
  epochs.Leave(reader);
  AdvanceAsFarAsPossible(epochs);
  CHECK(epochs.IsOver(stamp));
}

TEST_CASE("a reader that comes on-line after the seal does not hold up what it cannot reach") {
  EpochDomain epochs;
  EpochDomain::Participant& reader = epochs.AddParticipant();
  const Epoch stamp = epochs.Seal();
  AdvanceAsFarAsPossible(epochs);
  epochs.Enter(reader);
  CHECK(epochs.IsOver(stamp));
}

TEST_CASE("every on-line reader is waited for, not only the first") {
  EpochDomain epochs;
  EpochDomain::Participant& first = epochs.AddParticipant();
  EpochDomain::Participant& second = epochs.AddParticipant();
  epochs.Enter(first);
  epochs.Enter(second);
  const Epoch stamp = epochs.Seal();
  epochs.Leave(first);
  AdvanceAsFarAsPossible(epochs);
  CHECK_FALSE(epochs.IsOver(stamp));
  epochs.Leave(second);
  AdvanceAsFarAsPossible(epochs);
  CHECK(epochs.IsOver(stamp));
}

}  // namespace
}  // namespace larder::slab
