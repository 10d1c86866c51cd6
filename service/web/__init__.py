"""The web page: search, answers and articles for people; it needs no script, and has one."""
