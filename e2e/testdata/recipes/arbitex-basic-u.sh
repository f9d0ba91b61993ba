# The other form of ARB-19: `curl -u`.
curl -s -X POST $BASE/api/oauth/token -u "$CLIENT_ID:$CLIENT_SECRET" -d "grant_type=client_credentials" | jq -r .access_token
