"""All rules of CI.yml, registered by being imported."""

import rules_of_build
import rules_of_hygiene
import rules_of_release
from pipeline import RULES, Pipeline, broken, rule

__all__ = ["RULES", "Pipeline", "broken", "rule", "rules_of_build", "rules_of_hygiene", "rules_of_release"]
