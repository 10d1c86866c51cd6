"""From a question to ranked paragraphs and an answer: retrieval, fusion, HTTP, terminal, page."""
