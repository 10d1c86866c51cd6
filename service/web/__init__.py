"""The web page: search, answers and articles for people, without a line of JavaScript."""
