# OmniLab help center, "Request a token with curl": as printed, with the host and the placeholders filled in.
curl -X POST "$BASE/v1/oauth:token"       -H "Content-Type: application/json"       -d '{
    "client_id": "'"$CLIENT_ID"'",
    "client_secret": "'"$CLIENT_SECRET"'",
    "audience": "'"$AUDIENCE"'",
    "grant_type": "client_credentials"
  }'
