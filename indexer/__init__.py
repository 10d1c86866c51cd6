"""From a folder of articles to an index of paragraphs: reading, splitting, embedding, storing."""
