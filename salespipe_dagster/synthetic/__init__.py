"""The Faker company: a seeded generator of every table of the source."""
