# Arbitex documentation, credentials in the body: as printed up to the token.
ARBITEX_CLIENT_ID=$CLIENT_ID ARBITEX_CLIENT_SECRET=$CLIENT_SECRET
TOKEN=$(curl -s -X POST $BASE/api/oauth/token \
-d "grant_type=client_credentials" \
-d "client_id=${ARBITEX_CLIENT_ID}" \
-d "client_secret=${ARBITEX_CLIENT_SECRET}" \
| jq -r .access_token)
echo "${TOKEN}"
