/** What a proxy says when what is behind it does not answer: HTML where a caller expects JSON. */
export const badGatewayPage = `<html>
<head><title>502 Bad Gateway</title></head>
<body>
<center><h1>502 Bad Gateway</h1></center>
<hr><center>emulated proxy</center>
</body>
</html>
`;
