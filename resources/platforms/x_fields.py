"""X's address as tweepy knows it, and the fields that every read of posts asks for."""

HOST = "https://api.twitter.com"
# What tells whether a post stands and how it reads; X adds its id, text and versions by itself.
BARE_FIELDS = {"tweet.fields": "created_at,edit_history_tweet_ids"}
POST_FIELDS = {
    "tweet.fields": "author_id,conversation_id,created_at,entities,lang,public_metrics,referenced_tweets",
    "expansions": "author_id,referenced_tweets.id,referenced_tweets.id.author_id",
    "user.fields": "public_metrics,username",
}
