# Arbitex documentation, HTTP Basic, with the departure of ARB-19: `base64 -w0`, where the printed `base64` wraps.
ARBITEX_CLIENT_ID=$CLIENT_ID ARBITEX_CLIENT_SECRET=$CLIENT_SECRET
CREDS=$(echo -n "${ARBITEX_CLIENT_ID}:${ARBITEX_CLIENT_SECRET}" | base64 -w0)
TOKEN=$(curl -s -X POST $BASE/api/oauth/token \
-H "Authorization: Basic ${CREDS}" \
-d "grant_type=client_credentials" \
| jq -r .access_token)
echo "${TOKEN}"
