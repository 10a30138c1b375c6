// SPDX-License-Identifier: Apache-2.0

import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;

/**
 * A servlet of the edge test that calls another server (its port: EDGE_BACK). What it is asked and what it asks
 * have nothing in common but the id in the body. EDGE_ASYNC: the container's threads go on with a request that
 * was left by one.
 */
public class Call extends HttpServlet {
	private static byte[] call(byte[] body) throws IOException {
		URI inner = URI.create("http://127.0.0.1:" + System.getenv("EDGE_BACK") + "/inner");
		HttpURLConnection c = (HttpURLConnection) inner.toURL().openConnection();
		c.setRequestMethod("POST");
		c.setDoOutput(true);
		c.setFixedLengthStreamingMode(body.length);
		try (OutputStream out = c.getOutputStream()) {
			out.write(body);
		}
		return c.getInputStream().readAllBytes();
	}

	private static void serve(byte[] body, HttpServletResponse response) throws IOException {
		byte[] answer = call(body);
		response.setContentLength(answer.length);
		response.getOutputStream().write(answer);
	}

	@Override
	protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
		byte[] body = request.getInputStream().readAllBytes();
		if (System.getenv("EDGE_ASYNC") == null) {
			serve(body, response);
			return;
		}
		AsyncContext later = request.startAsync();
		later.start(() -> {
			try {
				serve(body, response);
			} catch (IOException e) {
				throw new UncheckedIOException(e);
			} finally {
				later.complete();
			}
		});
	}
}
