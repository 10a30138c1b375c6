<?php
// SPDX-License-Identifier: Apache-2.0
// A page of the edge test that calls another server (its port: EDGE_BACK). What it is asked and what it asks have
// nothing in common but the id in the body.
$body = file_get_contents('php://input');
usleep(hexdec(substr($body, -2, 1)) * 250);
$answer = file_get_contents('http://127.0.0.1:' . getenv('EDGE_BACK') . '/inner', false, stream_context_create([
	'http' => ['method' => 'POST', 'content' => $body, 'protocol_version' => 1.1,
		'header' => "Connection: close\r\nContent-Type: text/plain\r\n"]]));
header('Content-Length: ' . strlen($answer));
echo $answer;
